package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/readonly"
)

// maxViews bounds how many views are looked into for one statement.
const maxViews = 500

// lookUp returns a *RefusedError if a statement, or a view that it reads, may do more than read.
func (r *Reader) lookUp(ctx context.Context, statement *readonly.Statement) error {
	server := readonly.Server{MariaDB: r.session.Version.Product == MariaDB, Major: r.session.Version.Major, Minor: r.session.Version.Minor, Patch: r.session.Version.Patch}
	if err := statement.CheckFor(server); err != nil {
		return &RefusedError{err}
	}
	if statement.AllowsFunctions() {
		return nil
	}
	l := &lookup{reader: r, server: server, seen: map[readonly.Name]bool{}, own: statement.OwnFunctions()}
	names, err := l.qualify(ctx, statement.Tables)
	if err != nil {
		return err
	}
	for len(names) > 0 {
		if names, err = l.look(ctx, names); err != nil {
			return err
		}
	}
	return l.checkOwn(ctx)
}

// lookup goes from a statement's tables to what views among them read, and so on.
type lookup struct {
	reader *Reader
	server readonly.Server
	// seen are the names that have been looked up.
	seen map[readonly.Name]bool
	// known are tables and views that there are, sources what views certainly read.
	known   map[readonly.Name]bool
	sources []source
	views   int
	// own are functions of the schema sys that are called; ownViews is true if views of it are read, which may call any of these.
	own      []string
	ownViews bool
}

// source is what a view reads.
type source struct{ view, name readonly.Name }

// qualify puts the session's default schema where a name has none. Without one such names are of nothing, and the server says so.
func (l *lookup) qualify(ctx context.Context, names []readonly.Name) ([]readonly.Name, error) {
	var list []readonly.Name
	schema, asked := "", false
	for _, n := range names {
		if n.Schema == "" && !asked {
			asked = true
			answers, err := l.reader.ask(ctx, nil, DefaultSchema)
			if err == nil {
				err = answers[0].Err
			}
			if err != nil {
				return nil, err
			}
			if rows := answers[0].Rows; len(rows) == 1 && rows[0][0] != nil {
				schema = *rows[0][0]
			}
		}
		if n.Schema == "" {
			n.Schema = schema
		}
		if n.Schema != "" {
			list = append(list, n)
		}
	}
	return list, nil
}

// look looks names up and returns what views among them could read.
func (l *lookup) look(ctx context.Context, names []readonly.Name) (next []readonly.Name, err error) {
	var unknown []readonly.Name
	for _, n := range names {
		if !l.seen[n] && !readonly.IsServers(n.Schema) {
			unknown = append(unknown, n)
			l.seen[n] = true
		}
	}
	if len(unknown) == 0 {
		return nil, l.checkSources(nil)
	}
	// Both at once: a client in a container is started for each time of asking.
	types, definitions, err := l.ask(ctx, unknown)
	if err != nil {
		return nil, err
	}
	var views []readonly.Name
	known := map[readonly.Name]bool{}
	for _, row := range types {
		n := readonly.Name{Schema: row.Text("s"), Name: row.Text("n")}
		known[n] = true
		if row.Text("t") == "VIEW" {
			views = append(views, n)
		}
	}
	if err := l.checkSources(known); err != nil {
		return nil, err
	}
	if len(views) == 0 {
		return nil, nil
	}
	if l.views += len(views); l.views > maxViews {
		return nil, &RefusedError{fmt.Errorf("it reads more than %d views", maxViews)}
	}
	for _, name := range views {
		v := readonly.View{Name: name}
		for _, row := range definitions {
			if row.Text("s") == name.Schema && row.Text("n") == name.Name {
				v.Definer, v.Definition = row.Text("definer"), row.Text("d")
			}
		}
		l.ownViews = l.ownViews || v.IsOwn()
		read, sources, err := v.Check(l.server)
		if err != nil {
			return nil, &RefusedError{err}
		}
		next = append(next, read.Tables...)
		for _, n := range sources {
			l.sources = append(l.sources, source{name, n})
			if !slices.Contains(next, n) {
				next = append(next, n)
			}
		}
		for _, f := range read.OwnFunctions() {
			if !slices.Contains(l.own, f) {
				l.own = append(l.own, f)
			}
		}
	}
	return next, nil
}

// checkSources returns a *RefusedError if a view reads something that this account can't see: it could be another view.
func (l *lookup) checkSources(known map[readonly.Name]bool) error {
	if l.known == nil {
		l.known = map[readonly.Name]bool{}
	}
	for n := range known {
		l.known[n] = true
	}
	for _, s := range l.sources {
		if !readonly.IsServers(s.name.Schema) && !l.known[s.name] {
			return &RefusedError{fmt.Errorf("the view %s reads %s, which this account can't inspect, so it may call functions; --allow-functions runs it anyway", s.view, s.name)}
		}
	}
	l.sources = nil
	return nil
}

// checkOwn returns a *RefusedError unless the functions of the schema sys that are called are those that the server came with.
func (l *lookup) checkOwn(ctx context.Context) error {
	if len(l.own) == 0 && !l.ownViews {
		return nil
	}
	answers, err := l.reader.ask(ctx, nil, OwnFunctions)
	if err == nil {
		err = answers[0].Err
	}
	if err != nil {
		return err
	}
	definers := map[string]string{}
	for _, row := range answers[0].Maps() {
		definers[strings.ToLower(row.Text("n"))] = row.Text("definer")
	}
	if l.ownViews { // this account sees those that it may call
		for _, name := range readonly.OwnFunctions() {
			if definers[name] != "" {
				l.own = append(l.own, name)
			}
		}
	}
	for _, name := range l.own {
		if !readonly.IsOwner(definers[name]) {
			return &RefusedError{fmt.Errorf("sys.%s is not, as far as this account can see, the function shipped with the server; --allow-functions runs it anyway", name)}
		}
	}
	return nil
}

// What is asked about a statement's tables. Each name has a SELECT of its own, with constants: so servers without a data dictionary look
// at nothing else.
const (
	DefaultSchema = "SELECT DATABASE()"
	TypeOf        = "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n, TABLE_TYPE AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA='%s' AND TABLE_NAME='%s'"
	DefinitionOf  = "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n, DEFINER AS definer, VIEW_DEFINITION AS d FROM information_schema.VIEWS WHERE TABLE_SCHEMA='%s' AND TABLE_NAME='%s'"
	OwnFunctions  = "SELECT ROUTINE_NAME AS n, DEFINER AS definer FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='sys' AND ROUTINE_TYPE='FUNCTION'"
)

// ask asks the same about each name.
func (l *lookup) ask(ctx context.Context, names []readonly.Name) (types, definitions []Row, err error) {
	var parts [2][]string
	for _, n := range names {
		for i, form := range []string{TypeOf, DefinitionOf} {
			parts[i] = append(parts[i], fmt.Sprintf(form, escaped(n.Schema), escaped(n.Name)))
		}
	}
	const all = " UNION ALL "
	answers, err := l.reader.ask(ctx, nil, strings.Join(parts[0], all), strings.Join(parts[1], all))
	for _, a := range answers {
		if err == nil {
			err = a.Err
		}
	}
	var server *ServerError
	if errors.As(err, &server) {
		return nil, nil, &RefusedError{fmt.Errorf("can't check whether its tables are views: %w", err)}
	}
	if err != nil {
		return nil, nil, err
	}
	return answers[0].Maps(), answers[1].Maps(), nil
}

// escaped is a text for a string in quotes, in the sql_mode of the session.
func escaped(name string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(name)
}
