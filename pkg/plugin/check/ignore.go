package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// ignoring is what one annotation accepts.
type ignoring struct {
	by     string // kind/name
	codes  []string
	reason string
}

// parseIgnore reads the value of an annotation: entries "CODE, CODE: reason", separated by semicolons or new lines. A code may be a
// family of codes. Wrong ones are named in the error; what is right counts all the same.
func parseIgnore(by, value string) ([]ignoring, error) {
	var list []ignoring
	var wrong []string
	for _, entry := range strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == '\n' }) {
		codes, reason, _ := strings.Cut(entry, ":")
		i := ignoring{by: by, reason: strings.TrimSpace(reason)}
		for _, code := range strings.FieldsFunc(codes, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			if name := strings.ToUpper(code); isCode(name) {
				i.codes = append(i.codes, name)
			} else {
				wrong = append(wrong, fmt.Sprintf("%q", code))
			}
		}
		if len(i.codes) > 0 {
			list = append(list, i)
		}
	}
	if len(wrong) > 0 {
		return list, fmt.Errorf("%s is not a finding code: the annotation takes entries such as \"STS033: one node only\", separated by semicolons", strings.Join(wrong, ", "))
	}
	return list, nil
}

// ignores are the annotations by namespace and object, as kind/name in small letters.
type ignores map[string]map[string][]ignoring

// newIgnores reads all annotations.
func newIgnores(s *Snapshot) (ignores, []v1alpha1.Problem) {
	all := ignores{}
	var problems []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(s.Annotations)) {
		namespace, object, _ := strings.Cut(key, "/")
		list, err := parseIgnore(object, s.Annotations[key])
		if err != nil {
			where := ""
			if namespace != "" {
				where = " in namespace " + namespace
			}
			problems = append(problems, v1alpha1.Problem{
				Subject: fmt.Sprintf("annotation %s of %s%s", v1alpha1.IgnoreAnnotation, object, where), Reason: v1alpha1.ReasonInvalid, Message: err.Error(),
			})
		}
		if all[namespace] == nil {
			all[namespace] = map[string][]ignoring{}
		}
		all[namespace][object] = list
	}
	return all, problems
}

// of finds the annotation that accepts a finding of an item: that of its set; else, of the objects of one kind that the finding is
// about, all must accept it.
func (all ignores) of(item *v1alpha1.HealthCheck, f *v1alpha1.Finding) *ignoring {
	namespace := item.Metadata.Namespace
	if item.Subject != v1alpha1.SubjectCluster {
		if i := all.at(namespace, strings.ToLower(string(item.Subject))+"/"+item.Metadata.Name, f.Code); i != nil {
			return i
		}
	}
	accepted, objects := map[string]*ignoring{}, map[string]int{}
	accepting := map[string]int{}
	var kinds []string
	for _, object := range f.Objects {
		kind, name := strings.ToLower(object.Kind), object.Name
		if objects[kind]++; objects[kind] == 1 {
			kinds = append(kinds, kind)
		}
		i := all.at(namespace, kind+"/"+name, f.Code)
		if i == nil {
			i = all.at("", kind+"/"+name, f.Code) // a node or a volume
		}
		if i != nil {
			accepted[kind] = i
			accepting[kind]++
		}
	}
	for _, kind := range kinds {
		if accepting[kind] == objects[kind] {
			return accepted[kind]
		}
	}
	return nil
}

func (all ignores) at(namespace, object string, code v1alpha1.Code) *ignoring {
	list := all[namespace][object]
	for i := range list {
		if names(list[i].codes, code) {
			return &list[i]
		}
	}
	return nil
}
