package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Families of codes: the letters that they begin with.
const (
	familySets    = "STS"
	familyVolumes = "VOL"
	familyDNS     = "DNS"
	familyNodes   = "NODE"
	familyCheck   = "CHECK"
)

// families lists them in the order of the documentation, those of the database engines among them.
func families() []string {
	list := []string{familySets, familyVolumes, familyDNS, familyNodes}
	for _, e := range engines.Servers() {
		list = append(list, e.Family)
	}
	return append(list, familyCheck)
}

// Selection says which findings count.
type Selection struct {
	// Only and Exclude are codes (STS010) or families of codes (STS). An empty Only is all.
	Only, Exclude []string
	// OwnLabels are labels of nodes that mean something in this cluster.
	OwnLabels []capacity.OwnLabel
}

// parseCodes reads codes and families of codes, in small or capital letters.
func parseCodes(list []string) ([]string, error) {
	var codes []string
	for _, text := range list {
		name := strings.ToUpper(strings.TrimSpace(text))
		if !isCode(name) {
			return nil, noSuchCode(text)
		}
		codes = append(codes, name)
	}
	return codes, nil
}

// isCode reports whether a name is a code of a finding that check has, or a family of codes.
func isCode(name string) bool {
	return slices.Contains(families(), name) || slices.ContainsFunc(kinds(), func(k finding.Kind) bool { return string(k.Code) == name })
}

// kinds are the findings of the families.
func kinds() []finding.Kind {
	all := families()
	return slices.DeleteFunc(finding.Catalogue(), func(k finding.Kind) bool { return !slices.Contains(all, finding.Family(k.Code)) })
}

func noSuchCode(text string) error {
	all := families()
	for _, kind := range kinds() {
		all = append(all, string(kind.Code))
	}
	if near := finding.Nearest(strings.ToUpper(strings.TrimSpace(text)), all); len(near) > 0 {
		return fmt.Errorf("%q is not a finding code: did you mean %s?", text, strings.Join(near, " or "))
	}
	return fmt.Errorf("%q is not a finding code: use one such as STS010 (kubectl doik explain lists them), or one of %s for a whole family", text, strings.Join(families(), ", "))
}

// codesWithTitles are what --only and --exclude take, with what it says after a tab, as completion shows it.
func codesWithTitles() []string {
	var list []string
	for _, name := range families() {
		list = append(list, name+"\tall of "+name)
	}
	for _, kind := range kinds() {
		list = append(list, string(kind.Code)+"\t"+kind.Title)
	}
	return list
}

// names reports whether a list has a code or its family.
func names(list []string, code v1alpha1.Code) bool {
	return slices.Contains(list, string(code)) || slices.Contains(list, finding.Family(code))
}

// selects reports whether findings with the code count.
func (s Selection) selects(code v1alpha1.Code) bool {
	return (len(s.Only) == 0 || names(s.Only, code)) && !names(s.Exclude, code)
}

// wants reports whether any finding of a family may count.
func (s Selection) wants(name string) bool {
	if slices.Contains(s.Exclude, name) {
		return false
	}
	return len(s.Only) == 0 || slices.ContainsFunc(s.Only, func(code string) bool { return finding.Family(v1alpha1.Code(code)) == name })
}

// wantsPart reports whether the part of a family has to be looked at: for its own findings, or for those across parts.
func (s Selection) wantsPart(name string) bool { return s.wants(name) || s.wants(familyCheck) }

// engines are those whose servers have to be asked.
func (s Selection) engines() []*dbtopology.Engine {
	return slices.DeleteFunc(engines.Topologies(), func(e *dbtopology.Engine) bool { return !s.wantsPart(e.Family) })
}

// wantsOf reports whether any finding of a part may count.
func (s Selection) wantsOf(part v1alpha1.CheckPart) bool {
	if part == v1alpha1.PartServers {
		return slices.ContainsFunc(engines.Servers(), func(e *dbserver.Engine) bool { return s.wants(e.Family) })
	}
	return s.wants(familyOf[part])
}
