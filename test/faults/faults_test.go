package faults

import (
	"fmt"
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
	"PG002":    "a general rule, which MYSQL002 provokes",
	"PG024":    "a general rule, which MYSQL024 provokes",
	"PG106":    "a general rule, which MYSQL106 provokes",
	"PG005":    "a general rule, which MYSQL005 provokes: standbys in a ring, of which none can be a primary, are made by hand only",
	"PG043":    "a server does not start on the data of another major version: unit tests have one that says so",
	"PG056":    "two thousand million transactions: unit tests have their ages",
	"PG058":    "two hundred million transactions: unit tests have their ages",
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
			for _, code := range f.codes() {
				if !slices.Contains(codes, code) {
					t.Errorf("%s, %s: %s is no code", bed.Name, f.Name, code)
				}
				found[code] = true
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

// TestShare has, in every run, a fault of each bed and of each kind: codes that differ in their last digit are of one kind. A run of a commit leaves some out,
// which are printed.
func TestShare(t *testing.T) {
	kinds, always := map[string]bool{}, map[string]bool{}
	for _, bed := range Beds() {
		if !slices.ContainsFunc(bed.Faults, func(f Fault) bool { return f.Always }) {
			t.Errorf("no fault of bed %s is always tried", bed.Name)
		}
		for _, f := range bed.Faults {
			for _, code := range f.codes() {
				kinds[code[:len(code)-1]] = true
				if f.Always {
					always[code[:len(code)-1]] = true
				}
			}
		}
	}
	for kind := range kinds {
		if !always[kind] {
			t.Errorf("no fault that brings %s… is always tried", kind)
		}
	}
	if list, _ := LeftOut(""); len(list) > 0 {
		t.Errorf("without a commit: %q left out", list)
	}
	if list, of := LeftOut("930856f"); len(list) < of/3 || len(list) > of*19/20 {
		t.Errorf("%d of %d left out", len(list), of)
	}
	if commit := thisCommit(); commit != "" {
		list, of := LeftOut(commit)
		fmt.Printf("%d of the %d rows of the table of faults are left to runs of other commits (docs/test-beds.md):\n  %s\n", len(list), of, strings.Join(list, "; "))
	}
}

// codes are those that a fault brings, with repetitions.
func (f Fault) codes() (list []string) {
	for _, step := range f.steps() {
		for _, e := range step.Want {
			list = append(list, string(e.Code))
		}
		list = append(list, regexp.MustCompile(`\w+`).FindAllString(step.Check, -1)...)
	}
	return list
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
			if bed.New != nil && f.Repair == nil && i < len(bed.Faults)-1 {
				t.Errorf("%s: %q is not repaired, and others follow", bed.Name, f.Name)
			}
			for _, step := range f.steps() {
				if len(step.Want) == 0 && step.Check == "" {
					t.Errorf("%s: %q can't fail", bed.Name, f.Name)
				}
			}
		}
	}
}
