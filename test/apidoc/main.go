// Command apidoc writes docs/api.md and docs/schema, the reference of the reports, from the types and comments of package v1alpha1.
// What is wrong with a comment, such as a field without one, is an error: the reference has no gaps.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Where things are in the module.
const (
	packageFolder = "pkg/plugin/api/v1alpha1"
	pageFile      = "docs/api.md"
	schemaFolder  = "docs/schema"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "apidoc:", err)
		os.Exit(1)
	}
}

// generate returns the files of the reference by their path in the module, whose root is given.
func generate(root string) (map[string][]byte, error) {
	api, err := load(filepath.Join(root, packageFolder))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{pageFile: []byte(page(api))}
	for _, kind := range api.structures(true) {
		schema, err := schemaOf(api, kind)
		if err != nil {
			return nil, err
		}
		files[schemaPath(kind.name)] = schema
	}
	return files, nil
}

// write writes the files, and removes schemas of kinds that are no more.
func write(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	old, err := committedSchemas(root)
	if err != nil {
		return err
	}
	for _, path := range old {
		if files[path] == nil {
			if err := os.Remove(filepath.Join(root, path)); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(root, schemaFolder), 0o755); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(root, path), files[path], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// committedSchemas are the schemas that are there, by their path in the module.
func committedSchemas(root string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(root, schemaFolder, "*.json"))
	if err != nil {
		return nil, err
	}
	for i, path := range found {
		found[i] = schemaPath(filepath.Base(path[:len(path)-len(".json")]))
	}
	return found, nil
}

func schemaPath(kind string) string { return schemaFolder + "/" + kind + ".json" }
