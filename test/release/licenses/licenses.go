package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// platforms are those of .goreleaser.yaml, as GOOS/GOARCH.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// permitted are the licences under which code may be linked into an Apache-2.0 program that is given away as a binary. MPL-2.0
// asks that its own files stay available, which those of a public Go module are.
var permitted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}

// component is a module, or Go itself.
type component struct {
	name, version string
	// files are the licences and notices by their path in the module, of its root and of the folders that are linked.
	files map[string]string
	// licenses are the SPDX identifiers of what is in files, sorted.
	licenses []string
}

// listed is what go list says about a package.
type listed struct {
	ImportPath, Dir string
	Standard        bool
	Module          *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Path string }
	}
}

// find lists what a program is linked from on some platforms, Go first, then the modules by name.
func find(program string, platforms []string) ([]*component, error) {
	goRoot, err := goCommand(nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	goVersion, err := goCommand(nil, "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	standard := &component{name: "Go's standard library", version: strings.TrimSpace(string(goVersion)), files: map[string]string{}}
	root := strings.TrimSpace(string(goRoot))
	if err := standard.addFolder(root, root); err != nil {
		return nil, err
	}
	modules := map[string]*component{}
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		out, err := goCommand([]string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}, "list", "-deps", "-json=ImportPath,Dir,Standard,Module", program)
		if err != nil {
			return nil, err
		}
		for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
			var p listed
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Standard || p.Module.Main {
				continue
			}
			m := modules[p.Module.Path]
			if m == nil {
				m = &component{name: p.Module.Path, version: p.Module.Version, files: map[string]string{}}
				modules[m.name] = m
			}
			if err := m.addPackage(p.Module.Dir, p.Dir); err != nil {
				return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
			}
		}
	}
	all := append([]*component{standard}, slices.SortedFunc(maps.Values(modules), func(a, b *component) int { return cmp.Compare(a.name, b.name) })...)
	for _, c := range all {
		if err := c.judge(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func goCommand(env []string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

// addPackage takes the licences that hold for a package: those of its folder and of the folders above it in the module.
func (c *component) addPackage(moduleDir, dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		if err := c.addFolder(moduleDir, dir); err != nil {
			return err
		}
		if dir == moduleDir || len(dir) <= len(moduleDir) {
			return nil
		}
	}
}

var (
	licenseFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright)s?([-._].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^(notice|patents)s?([-._].*)?$`)
	sourceFile  = regexp.MustCompile(`\.(go|s|json|tmpl)$`)
)

func (c *component) addFolder(moduleDir, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || sourceFile.MatchString(e.Name()) || !licenseFile.MatchString(e.Name()) && !noticeFile.MatchString(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		name, err := filepath.Rel(moduleDir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c.files[filepath.ToSlash(name)] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	return nil
}

// judge finds the component's licences in its files. It is an error if there are none, or others than the permitted.
func (c *component) judge() error {
	found := map[string]bool{}
	for name, text := range c.files {
		if !licenseFile.MatchString(filepath.Base(name)) {
			continue
		}
		licenses := classify(text)
		if len(licenses) == 0 {
			return fmt.Errorf("%s %s: unknown license in %s", c.name, c.version, name)
		}
		for _, l := range licenses {
			if !slices.Contains(permitted, l) {
				return fmt.Errorf("%s %s: %s is under %s, which is not permitted", c.name, c.version, name, l)
			}
			found[l] = true
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%s %s: it has no licence", c.name, c.version)
	}
	c.licenses = slices.Sorted(maps.Keys(found))
	return nil
}

var notWords = regexp.MustCompile(`[^a-z0-9.]+`)

// classify tells the licences in a text by the words that only they have. A file may hold several.
func classify(text string) []string {
	words := notWords.ReplaceAllString(strings.ToLower(text), " ")
	has := func(phrase string) bool { return strings.Contains(words, phrase) }
	var found []string
	for _, l := range []struct {
		name string
		is   bool
	}{
		{"Apache-2.0", has("apache license version 2.0")},
		{"BSD-2-Clause", has("redistribution and use in source and binary forms") && !has("neither the name")},
		{"BSD-3-Clause", has("redistribution and use in source and binary forms") && has("neither the name")},
		{"ISC", has("permission to use copy modify and or distribute this software") || has("permission to use copy modify and distribute this software for any purpose with or without fee")},
		{"MIT", has("permission is hereby granted free of charge to any person obtaining a copy")},
		{"MPL-2.0", has("mozilla public license version 2.0")},
		// The MPL names the GNU licences as those that it may be combined with.
		{"GPL", has("gnu general public license") && !has("mozilla public license version 2.0")},
		{"LGPL", has("gnu lesser general public license") && !has("mozilla public license version 2.0")},
		{"AGPL", has("gnu affero general public license") && !has("mozilla public license version 2.0")},
		{"BUSL-1.1", has("business source license")},
		{"SSPL-1.0", has("server side public license")},
		{"Commons-Clause", has("commons clause")},
	} {
		if l.is {
			found = append(found, l.name)
		}
	}
	return found
}

// write prints a line a component, and then every text once, with those to which it applies.
func write(w io.Writer, components []*component) error {
	var b strings.Builder
	b.WriteString("kubectl doik is under the Apache License 2.0: see LICENSE. Linked into it is what follows, under these licences. Each name is that of\n" +
		"a public Go module, where its source is: https://pkg.go.dev/NAME@VERSION.\n\n")
	users := map[string][]string{}
	var texts []string
	for _, c := range components {
		fmt.Fprintf(&b, "  %-60s %s\n", c.name+" "+c.version, strings.Join(c.licenses, ", "))
		for _, name := range slices.Sorted(maps.Keys(c.files)) {
			text := strings.TrimSpace(c.files[name])
			if users[text] == nil {
				texts = append(texts, text)
			}
			users[text] = append(users[text], c.name+": "+name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s\n", strings.Repeat("=", 100), strings.Join(users[text], "\n"), strings.Repeat("-", 100), text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
