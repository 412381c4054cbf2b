package check

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// The elements of JUnit's XML that CI systems read: https://github.com/testmoapp/junitxml describes them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		Failure   *junitMessage `xml:"failure"`
		Error     *junitMessage `xml:"error"`
		Skipped   *junitMessage `xml:"skipped"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as JUnit XML: a suite for each item, a test for each part that was looked at and for each finding. Findings of
// the severity failing, and worse ones, are failures; what is ignored is skipped; what could not be read is an error.
func JUnit(report *v1alpha1.HealthCheckList, failing v1alpha1.Severity) ([]byte, error) {
	all := junitSuites{Name: "kubectl doik check"}
	for i := range report.Items {
		all.add(suiteOf(&report.Items[i], failing))
	}
	if len(report.Problems) > 0 {
		suite := junitSuite{Name: "could not be read"}
		for _, p := range report.Problems {
			suite.Cases = append(suite.Cases, junitCase{Name: p.Subject, ClassName: "problems", Error: &junitMessage{
				Message: p.Message, Type: string(p.Reason), Text: p.Remedy,
			}})
		}
		all.add(suite)
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	encoder := xml.NewEncoder(&out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return nil, fmt.Errorf("encoding JUnit XML: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// add counts the cases of a suite.
func (all *junitSuites) add(s junitSuite) {
	for _, c := range s.Cases {
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	all.Suites = append(all.Suites, s)
	all.Tests += s.Tests
	all.Failures += s.Failures
	all.Errors += s.Errors
	all.Skipped += s.Skipped
}

func suiteOf(c *v1alpha1.HealthCheck, failing v1alpha1.Severity) junitSuite {
	name := qualified(c)
	suite := junitSuite{Name: name}
	for _, p := range c.Checked {
		t := junitCase{Name: string(p.Part), ClassName: name, SystemOut: fmt.Sprintf("%d of %d looked at", p.Number, p.Of)}
		for _, kind := range [...]v1alpha1.GapKind{v1alpha1.GapPending, v1alpha1.GapNotAsked, v1alpha1.GapNotCovered} {
			if what := finding.Gaps([]v1alpha1.CheckedPart{p}, kind); what != "" {
				t.SystemOut += fmt.Sprintf("; %s: %s", kind, what)
			}
		}
		if what := finding.Gaps([]v1alpha1.CheckedPart{p}, v1alpha1.GapUnread); what != "" {
			t.SystemOut, t.Error = "", &junitMessage{Message: fmt.Sprintf("%d of %d could be looked at: %s", p.Number, p.Of, what)}
		}
		suite.Cases = append(suite.Cases, t)
	}
	for i := range c.Findings {
		f := &c.Findings[i]
		t := junitCase{Name: caseName(c.Metadata.Namespace, &f.Finding), ClassName: name}
		text := strings.TrimSpace(fmt.Sprintf("%s: %s%s\n%s", f.Severity, f.Message, also(f.Also), cmp.Or(f.Remedy.Command, f.Remedy.Explain)))
		if finding.CompareSeverity(failing, f.Severity) > 0 {
			t.SystemOut = text
		} else {
			t.Failure = &junitMessage{Message: f.Message, Type: string(f.Severity), Text: text}
		}
		suite.Cases = append(suite.Cases, t)
	}
	for i := range c.Ignored {
		f := &c.Ignored[i]
		suite.Cases = append(suite.Cases, junitCase{Name: caseName(c.Metadata.Namespace, &f.Finding), ClassName: name, Skipped: &junitMessage{Message: ignoredBy(f), Text: f.Message}})
	}
	return suite
}

// caseName tells findings of one code apart by what they are about.
func caseName(home string, f *v1alpha1.Finding) string {
	if len(f.Objects) == 0 {
		return string(f.Code)
	}
	return string(f.Code) + " " + finding.Object(f.Objects[0], home)
}

// qualified is the name of an item with its namespace.
func qualified(c *v1alpha1.HealthCheck) string {
	if c.Metadata.Namespace == "" {
		return Name(c)
	}
	return c.Metadata.Namespace + "/" + Name(c)
}
