package faults

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/readme"
)

// elsewhere are codes that no fault of the table brings, each with the reason.
var elsewhere = map[string]string{
	"ENDP":     "kubectl doik endpoint is about the way to a cluster and not about sets: check leaves it out; TestEndpoint… of test/integration and test/e2e provoke its codes",
	"MYSQL080": "mysql-query, which check does not run, finds it: TestStudyMySQL",
	"MYSQL09":  "mysql-reads, which check does not run, finds them: TestStudyMySQL",
}

// TestEveryCode has a fault for every code of a finding: what a command of its subject finds, or what check finds, or explains.
func TestEveryCode(t *testing.T) {
	codes, err := readme.Codes()
	if err != nil || len(codes) < 100 {
		t.Fatalf("%d codes, %v", len(codes), err)
	}
	found := map[string]bool{}
	for _, bed := range Beds() {
		for _, f := range bed.Faults {
			for _, step := range f.steps() {
				for _, e := range step.Want {
					found[string(e.Code)] = true
				}
				for _, code := range regexp.MustCompile(`\w+`).FindAllString(step.Check, -1) {
					if !slices.Contains(codes, code) {
						t.Errorf("%s, %s: %s is no code", bed.Name, f.Name, code)
					}
					found[code] = true
				}
			}
		}
	}
	excused := map[string]bool{}
	for _, code := range codes {
		why := ""
		for prefix := range elsewhere {
			if strings.HasPrefix(code, prefix) {
				why, excused[prefix] = prefix, true
			}
		}
		switch {
		case !found[code] && why == "":
			t.Errorf("no fault brings %s", code)
		case found[code] && why != "":
			t.Errorf("a fault brings %s, which is said not to be", code)
		}
	}
	for prefix := range elsewhere {
		if !excused[prefix] {
			t.Errorf("there is no code %s", prefix)
		}
	}
}

// TestFaultsCanBeTold has names that are unique on their bed, something to look for, and a way back where other faults follow.
func TestFaultsCanBeTold(t *testing.T) {
	for _, bed := range Beds() {
		names := map[string]bool{}
		for i, f := range bed.Faults {
			if names[f.Name] || f.Name == "" {
				t.Errorf("%s: %q twice", bed.Name, f.Name)
			}
			names[f.Name] = true
			if bed.New != nil && f.Mend == nil && i < len(bed.Faults)-1 {
				t.Errorf("%s: %q is not mended, and others follow", bed.Name, f.Name)
			}
			for _, step := range f.steps() {
				if len(step.Want) == 0 && step.Check == "" {
					t.Errorf("%s: %q can't fail", bed.Name, f.Name)
				}
			}
		}
	}
}
