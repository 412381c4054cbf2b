//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// disk keeps volumes in a folder:
//
//	images/NAME.ext4    a file system, mounted on mounts/NAME
//	images/NAME.block   a raw device, bound to devices/NAME
type disk struct{ folder string }

const (
	extensionExt4  = ".ext4"
	extensionBlock = ".block"
)

func (d disk) image(name, extension string) string {
	return filepath.Join(d.folder, "images", name+extension)
}
func (d disk) mount(name string) string  { return filepath.Join(d.folder, "mounts", name) }
func (d disk) device(name string) string { return filepath.Join(d.folder, "devices", name) }

// create makes a volume unless it is there, attaches it, and returns the path that pods get. A volume's file is as large
// as asked, but takes up only what is written.
func (d disk) create(ctx context.Context, name string, size int64, block bool, p parameters) (string, error) {
	extension, path := extensionExt4, d.mount(name)
	if block {
		extension, path = extensionBlock, d.device(name)
	}
	image := d.image(name, extension)
	_, err := os.Stat(image)
	if errors.Is(err, fs.ErrNotExist) {
		err = d.makeImage(ctx, image, size, block, p)
	}
	if err != nil {
		return "", err
	}
	return path, d.attach(ctx, name, extension)
}

func (d disk) makeImage(ctx context.Context, image string, size int64, block bool, p parameters) error {
	if err := os.MkdirAll(filepath.Dir(image), 0o755); err != nil {
		return err
	}
	var stat syscall.Statfs_t
	if err := syscall.Statfs(d.folder, &stat); err != nil {
		return err
	}
	if free := int64(stat.Bavail) * stat.Bsize; size > free {
		return fmt.Errorf("%d bytes are asked for, the node has %d GiB left", size, free>>30)
	}
	part := image + ".part"
	if err := os.WriteFile(part, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(part, size); err != nil {
		return err
	}
	if !block {
		if err := command(ctx, p.mkfs(part)...); err != nil {
			return errors.Join(err, os.Remove(part))
		}
	}
	return os.Rename(part, image)
}

// attach mounts a volume, or binds its device, unless that is done already.
func (d disk) attach(ctx context.Context, name, extension string) error {
	image := d.image(name, extension)
	if extension == extensionExt4 {
		path := d.mount(name)
		if mounted, err := isMounted(path); err != nil || mounted {
			return err
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		return command(ctx, "mount", "-t", "ext4", "-o", "loop", image, path)
	}

	path := d.device(name)
	if mounted, err := isMounted(path); err != nil || mounted {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	device, err := exec.CommandContext(ctx, "losetup", "--find", "--show", image).Output()
	if err != nil {
		return fmt.Errorf("losetup %s: %w", image, err)
	}
	return command(ctx, "mount", "--bind", strings.TrimSpace(string(device)), path)
}

// attachAll attaches every volume there is.
func (d disk) attachAll(ctx context.Context) error {
	images, err := filepath.Glob(d.image("*", ".*"))
	if err != nil {
		return err
	}
	var failures []error
	for _, image := range images {
		extension := filepath.Ext(image)
		if extension == extensionExt4 || extension == extensionBlock {
			failures = append(failures, d.attach(ctx, strings.TrimSuffix(filepath.Base(image), extension), extension))
		}
	}
	return errors.Join(failures...)
}

// remove detaches a volume and forgets what is on it. It is no error if there is none.
func (d disk) remove(ctx context.Context, name string) error {
	for _, path := range []string{d.mount(name), d.device(name)} {
		mounted, err := isMounted(path)
		if err != nil {
			return err
		}
		if mounted {
			if err := command(ctx, "umount", path); err != nil {
				return err
			}
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, image := range []string{d.image(name, extensionExt4), d.image(name, extensionBlock)} {
		// A mounted file's device goes with its mount; a raw one stays until it is reported.
		out, err := exec.CommandContext(ctx, "losetup", "--noheadings", "--output", "NAME", "--associated", image).Output()
		if _, missing := os.Stat(image); err != nil && missing == nil {
			return fmt.Errorf("losetup %s: %w", image, err)
		}
		for device := range strings.FieldsSeq(string(out)) {
			if err := command(ctx, "losetup", "--detach", device); err != nil {
				return err
			}
		}
		if err := os.Remove(image); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// isMounted reports whether something is mounted on the path, a folder or a file.
func isMounted(path string) (bool, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, err
	}
	escaped := strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`).Replace(path)
	for line := range bytes.Lines(mounts) {
		if fields := bytes.Fields(line); len(fields) > 4 && string(fields[4]) == escaped {
			return true, nil
		}
	}
	return false, nil
}

// command runs a program; its error holds what the program said.
func command(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
