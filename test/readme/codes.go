package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// Codes are all codes of findings that the API has, sorted, as its source lists them.
func Codes() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(Root(), "pkg/plugin/api/v1alpha1/*.go"))
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range regexp.MustCompile(`\bCode\w+ +Code = "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			codes = append(codes, m[1])
		}
	}
	slices.Sort(codes)
	return codes, nil
}
