package postgres

import (
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
)

// The last parts of the names of images: those of servers, those that may be of one, and those that have something else, whatever else is in
// the name. Words that are also parts of others stand alone.
var (
	serverImage = regexp.MustCompile(`^((postgres(ql)?|pgsql)([-_.]?[0-9]+)*([-_.]?(alpine|server|ha|repmgr|enterprise))*|spilo([-_]?[0-9]+)*|postgis([-_.]?[0-9]+)*|timescaledb(-ha)?|pgvector|crunchy-postgres(-(gis|ha))*|percona-distribution-postgresql)$`)
	maybeServer = regexp.MustCompile(`postgres|pgsql|timescale|postgis|spilo`)
	otherImage  = regexp.MustCompile(`operator|exporter|proxy|bouncer|pgpool|pgcat|odyssey|pgadmin|backup|barman|client|agent|admin|shell|toolkit|monitor|pgbackrest|wal-g|walg|` +
		`mysql|mariadb|mongo|redis|valkey|kafka|debezium|connect|metrics|dump|restore|migrat|import|replicator|pgbench|tuner|workbench|sidecar|cleaner|rest|graphile|hasura|meta|` +
		`(^|[-_.])(cdc|sync|etl|cli|ui|web|gui|php|init|initializer|wait|job|jobs|cron|cronjob|check|checker|probe|test|tests|bench|config|reloader|sql2?|to|2|util)([-_.]|$)|[a-z]2[a-z]|php`)
)

// runsServer reports how much a container looks like a server: by its command, whatever its image is called; by its image, unless its command is
// another one; by its port.
func runsServer(c *corev1.Container, hasPort bool) dbserver.Likeness {
	command := slices.Concat(c.Command, c.Args)
	if startsServer(command) {
		return dbserver.Runs
	}
	image := imageName(c)
	byDefault := len(command) == 0 || strings.HasPrefix(command[0], "-") || strings.HasPrefix(path.Base(command[0]), "docker-entrypoint")
	switch {
	case otherImage.MatchString(image), router(c) != "":
		return dbserver.Unlike
	case serverImage.MatchString(image) && (hasPort || byDefault):
		return dbserver.Runs
	case hasPort, maybeServer.MatchString(image) && byDefault:
		return dbserver.Resembles
	}
	return dbserver.Unlike
}

// imageName is the last part of an image's name, in small letters.
func imageName(c *corev1.Container) string {
	image, _, _ := strings.Cut(path.Base(c.Image), "@")
	image, _, _ = strings.Cut(image, ":")
	return strings.ToLower(image)
}

// startsServer reports whether a command starts a server, by itself, in a shell's script, or through what looks after one.
func startsServer(command []string) bool {
	if len(command) == 0 {
		return false
	}
	program := path.Base(command[0])
	if strings.HasPrefix(program, "docker-entrypoint") && len(command) > 1 {
		program = path.Base(command[1])
	}
	return serverProgram.MatchString(program) || shells[program] && serverInScript.MatchString(strings.Join(command[1:], " "))
}

// How a server is started: by itself, by Patroni, or at the end of a shell's script.
var (
	serverProgram  = regexp.MustCompile(`^(postgres|postmaster|patroni)$`)
	serverInScript = regexp.MustCompile(`(^|[;&|\n]|exec|-u postgres)\s*([a-z0-9/._-]*/)?(postgres|postmaster|patroni)(\s+(-|/)|\s*($|[;&|\n]))`)
	shells         = map[string]bool{"sh": true, "bash": true, "ash": true, "dash": true}
)

// routers are the products that pass connections on, by the names of their images and programs.
var routers = []struct {
	name  string
	image *regexp.Regexp
}{
	{"PgBouncer", regexp.MustCompile(`^(.*-)?pgbouncer(-.*)?$`)},
	{"Pgpool-II", regexp.MustCompile(`^(.*-)?pgpool(-?ii)?2?$`)},
	{"PgCat", regexp.MustCompile(`^pgcat$`)},
	{"Odyssey", regexp.MustCompile(`^odyssey$`)},
	{"HAProxy", regexp.MustCompile(`^(.*-)?haproxy$`)},
}

// router is the product of a container that passes connections on to servers.
func router(c *corev1.Container) string {
	program := ""
	if len(c.Command) > 0 {
		program = path.Base(c.Command[0])
	}
	for _, r := range routers {
		if r.image.MatchString(imageName(c)) || r.image.MatchString(program) {
			return r.name
		}
	}
	return ""
}
