//go:build release

// Package release makes a release as .goreleaser.yaml says, and installs it with krew through kubectl, all on this machine.
package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	tag = "v0.1.0-test.1"
	// committed is the time of the release's commit.
	committed = "2026-01-02T03:04:05Z"
	// largest is how many bytes the binary may have.
	largest = 40_000_000
)

var platforms = []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64"}

// made is the checkout in which the release was made, with its dist folder.
var made string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "doik-release-")
	if err == nil {
		made = filepath.Join(folder, "made")
		err = makeRelease(made)
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// makeRelease copies this checkout, as it stands, to a folder, tags it, and makes the release.
func makeRelease(folder string) error {
	repo, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	files, err := run(repo, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimRight(files, "\x00"), "\x00") {
		if err := copyFile(filepath.Join(repo, name), filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, args := range [][]string{
		{"git", "init", "-q"},
		{"git", "remote", "add", "origin", "https://github.com/kubectl-doik/kubectl-doik.git"},
		{"git", "add", "-A"},
		{"git", "-c", "user.name=Release", "-c", "user.email=release@example.com", "commit", "-q", "-m", "A release"},
		{"git", "tag", tag},
		{os.Getenv("GORELEASER"), "check", "-q"},
	} {
		if _, err := run(folder, []string{"GIT_AUTHOR_DATE=" + committed, "GIT_COMMITTER_DATE=" + committed}, args...); err != nil {
			return err
		}
	}
	return goreleaser(folder)
}

func goreleaser(folder string, env ...string) error {
	// GITHUB_ACTIONS asks for what only public CI has.
	_, err := run(folder, append(env, "GITHUB_ACTIONS=false"), os.Getenv("GORELEASER"), "release", "--clean", "--skip=publish,announce", "--parallelism=2")
	return err
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// run runs a command in a folder and returns its stdout; the error has what it said.
func run(folder string, env []string, args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return out.String(), nil
}

// checksums are those of a release, by archive.
func checksums(t *testing.T, checkout string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, "dist", "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	return sums
}

// TestReproducible makes the release of the same commit once more: in another folder, at another time, with another time zone and
// other rights of new files.
func TestReproducible(t *testing.T) {
	again := filepath.Join(t.TempDir(), "elsewhere", "again")
	if _, err := run(".", nil, "sh", "-c", `umask 077 && git clone -q "$0" "$1"`, made, again); err != nil {
		t.Fatal(err)
	}
	if _, err := run(again, nil, "git", "remote", "set-url", "origin", "https://github.com/kubectl-doik/kubectl-doik.git"); err != nil {
		t.Fatal(err)
	}
	if err := goreleaser(again, "TZ=Asia/Seoul", "LANG=ko_KR.UTF-8"); err != nil {
		t.Fatal(err)
	}
	first, second := checksums(t, made), checksums(t, again)
	if len(first) != len(platforms) {
		t.Errorf("checksums of %d archives: %v", len(first), first)
	}
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s: %s, and the second time %s", name, sum, second[name])
		}
		text, err := os.ReadFile(filepath.Join(made, "dist", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(text); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: checksums.txt has %s, it is %x", name, sum, got)
		}
	}
}

// member is a file in an archive.
type member struct {
	mode     fs.FileMode
	modified time.Time
	owner    string
	content  []byte
}

func archive(platform string) string {
	name := "kubectl-doik_" + tag + "_" + strings.ReplaceAll(platform, "/", "_")
	if strings.HasPrefix(platform, "windows/") {
		return name + ".zip"
	}
	return name + ".tar.gz"
}

// open reads an archive.
func open(t *testing.T, platform string) map[string]member {
	t.Helper()
	path := filepath.Join(made, "dist", archive(platform))
	members := map[string]member{}
	if strings.HasSuffix(path, ".zip") {
		z, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			members[f.Name] = member{f.Mode(), f.Modified, "root:root", content} // zip has no owners
		}
		return members
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return members
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		members[h.Name] = member{h.FileInfo().Mode(), h.ModTime, h.Uname + ":" + h.Gname, content}
	}
}

// TestArchives looks into the archive of every platform.
func TestArchives(t *testing.T) {
	for _, platform := range platforms {
		t.Run(platform, func(t *testing.T) {
			goos, goarch, _ := strings.Cut(platform, "/")
			program := "kubectl-doik"
			if goos == "windows" {
				program += ".exe"
			}
			members := open(t, platform)
			want := map[string]fs.FileMode{
				program: 0o755, "LICENSE": 0o644, "THIRD_PARTY_LICENSES": 0o644, "k9s/plugins.yaml": 0o644,
				"completions/kubectl_complete-doik": 0o755, "completions/kubectl-doik.bash": 0o644, "completions/_kubectl-doik": 0o644,
				"README.md": 0o644, "README.ko.md": 0o644, "docs/examples/full-volume.yaml": 0o644, "docs/examples/spot-nodes.yaml": 0o644, "docs/examples/wrong-service.yaml": 0o644,
				"completions/kubectl-doik.fish": 0o644, "completions/kubectl-doik.ps1": 0o644,
			}
			for name, m := range members {
				mode, ok := want[name]
				if !ok {
					t.Errorf("%s should not be there", name)
				}
				if m.mode != mode {
					t.Errorf("%s: mode %s, want %s", name, m.mode, mode)
				}
				if got := m.modified.UTC().Format(time.RFC3339); got != committed {
					t.Errorf("%s: modified %s", name, got)
				}
				if m.owner != "root:root" {
					t.Errorf("%s: owner %s", name, m.owner)
				}
				delete(want, name)
			}
			for name := range want {
				t.Errorf("%s is missing", name)
			}
			if license, err := os.ReadFile("../../LICENSE"); err != nil || !bytes.Equal(license, members["LICENSE"].content) {
				t.Error("LICENSE is another")
			}
			if n := len(members[program].content); n > largest {
				t.Errorf("the binary has %d bytes, at most %d are wanted", n, largest)
			}
			info, err := buildinfo.Read(bytes.NewReader(members[program].content))
			if err != nil {
				t.Fatal(err)
			}
			settings := map[string]string{}
			for _, s := range info.Settings {
				settings[s.Key] = s.Value
			}
			for key, value := range map[string]string{
				"GOOS": goos, "GOARCH": goarch, "CGO_ENABLED": "0", "-trimpath": "true", "vcs.modified": "false", "vcs.time": committed,
			} {
				if settings[key] != value {
					t.Errorf("built with %s=%s, want %s", key, settings[key], value)
				}
			}
			for _, leak := range []string{made, os.Getenv("HOME") + "/"} {
				if bytes.Contains(members[program].content, []byte(leak)) {
					t.Errorf("the binary names %s", leak)
				}
			}
			if !bytes.Contains(members[program].content, []byte(tag)) {
				t.Errorf("the binary does not know its version %s", tag)
			}
		})
	}
	if entries, err := filepath.Glob(filepath.Join(made, "dist", "kubectl-doik_*")); err != nil || len(slices.DeleteFunc(entries, isFolder)) != len(platforms) {
		t.Errorf("in dist: %v, %v", entries, err)
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
