package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestPermitted looks at everything that is linked into the plugin on every platform of a release.
func TestPermitted(t *testing.T) {
	t.Chdir("../../..")
	components, err := find("./cmd/kubectl-doik", platforms)
	if err != nil {
		t.Fatal(err)
	}
	licenses := map[string][]string{}
	for _, c := range components {
		licenses[c.name] = c.licenses
	}
	for name, want := range map[string]string{
		"Go's standard library":                "BSD-3-Clause",
		"github.com/go-sql-driver/mysql":       "MPL-2.0",
		"k8s.io/client-go":                     "Apache-2.0,BSD-3-Clause", // third_party/forked/golang
		"go.yaml.in/yaml/v3":                   "Apache-2.0,MIT",
		"github.com/spf13/cobra":               "Apache-2.0",
		"github.com/inconshreveable/mousetrap": "Apache-2.0", // only on Windows
	} {
		if got := strings.Join(licenses[name], ","); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	var out bytes.Buffer
	if err := write(&out, components); err != nil {
		t.Fatal(err)
	}
	for _, c := range components {
		if !strings.Contains(out.String(), c.name+" "+c.version) {
			t.Errorf("%s is not listed", c.name)
		}
		for name, text := range c.files {
			if !strings.Contains(out.String(), strings.TrimSpace(text)) {
				t.Errorf("%s: the text of %s is missing", c.name, name)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	for text, want := range map[string]string{
		"Permission is hereby granted, free of charge, to any\nperson obtaining a copy of": "",
		"GNU GENERAL PUBLIC LICENSE\nVersion 3":                                            "x v1: LICENSE is under GPL, which is not permitted",
		"Business Source License 1.1":                                                      "x v1: LICENSE is under BUSL-1.1, which is not permitted",
		"Ask me":                                                                           "x v1: unknown license in LICENSE",
	} {
		c := &component{name: "x", version: "v1", files: map[string]string{"LICENSE": text}}
		got := ""
		if err := c.judge(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if err := (&component{name: "x", version: "v1", files: map[string]string{"NOTICE": "By us."}}).judge(); err == nil {
		t.Error("a notice without a licence is no error")
	}
	if got := classify("Mozilla Public License Version 2.0 … GNU General Public License"); !slices.Equal(got, []string{"MPL-2.0"}) {
		t.Errorf("the MPL: %v", got)
	}
}
