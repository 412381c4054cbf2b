package mysql

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
	serverImage = regexp.MustCompile(`^((mysql|mariadb|percona)(-?(server|galera|enterprise|community|cluster|ps))*|(community|enterprise|cns)-server|percona-server-mysql|percona-xtradb-cluster|(mysql|mariadb|percona)[-_.]?[0-9]+([-_.][0-9a-z]+)*)$`)
	maybeServer = regexp.MustCompile(`mysql|mariadb|percona`)
	otherImage  = regexp.MustCompile(`operator|router|exporter|proxy|backup|client|agent|admin|shell|toolkit|monitor|orchestrator|orc|pmm|` +
		`mongo|postgres|pgbouncer|redis|valkey|kafka|debezium|connect|metrics|dump|binlog|restore|migrat|import|replicator|sysbench|tuner|workbench|sidecar|cleaner|` +
		`(^|[-_.])(cdc|sync|etl|cli|ui|web|gui|php|init|initializer|wait|job|jobs|cron|cronjob|check|checker|probe|test|tests|bench|config|reloader|sql2?|to|2)([-_.]|$)|[a-z]2[a-z]|php`)
)

// runsServer reports how much a container looks like a server: by its command, whatever its image is called; by its image, unless its command is
// another one; by its port.
func runsServer(c *corev1.Container, hasPort bool) dbserver.Likeness {
	command := slices.Concat(c.Command, c.Args)
	if startsServer(command) {
		return dbserver.Runs
	}
	image, _, _ := strings.Cut(path.Base(c.Image), "@")
	image, _, _ = strings.Cut(image, ":")
	image = strings.ToLower(image)
	byDefault := len(command) == 0 || strings.HasPrefix(command[0], "-") || strings.HasPrefix(path.Base(command[0]), "docker-entrypoint")
	switch {
	case otherImage.MatchString(image):
		return dbserver.Unlike
	case serverImage.MatchString(image) && (hasPort || byDefault):
		return dbserver.Runs
	case hasPort, maybeServer.MatchString(image) && byDefault:
		return dbserver.Resembles
	}
	return dbserver.Unlike
}

// startsServer reports whether a command starts a server: by itself, or in a shell's script.
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

// routers are the products that pass connections on, by the names of their images and programs, or, of Percona's operators of some years, which
// have one image repository for all, by the ends of tags.
var routers = []struct {
	name       string
	image, tag *regexp.Regexp
}{
	{"MySQL Router", regexp.MustCompile(`^((percona-)?mysql-?router|(community|enterprise)-router)$`), regexp.MustCompile(`-router[0-9.]*$`)},
	{"HAProxy", regexp.MustCompile(`^(.*-)?haproxy$`), regexp.MustCompile(`-haproxy$`)},
	{"ProxySQL", regexp.MustCompile(`^proxysql2?$`), regexp.MustCompile(`-proxysql2?$`)},
	{"MaxScale", regexp.MustCompile(`^(mariadb-)?maxscale$`), nil},
}

// router is the product of a container that passes connections on to servers.
func router(c *corev1.Container) string {
	image, _, _ := strings.Cut(path.Base(c.Image), "@")
	image, tag, _ := strings.Cut(strings.ToLower(image), ":")
	program := ""
	if len(c.Command) > 0 {
		program = path.Base(c.Command[0])
	}
	for _, r := range routers {
		if r.image.MatchString(image) || r.image.MatchString(program) || r.tag != nil && strings.HasSuffix(image, "-operator") && r.tag.MatchString(tag) {
			return r.name
		}
	}
	return ""
}

// How a server is started: by itself, or at the end of a shell's script.
var (
	serverProgram  = regexp.MustCompile(`^(mysqld|mariadbd)(_safe|-safe)?$`)
	serverInScript = regexp.MustCompile(`(^|[\s;&|/])(mysqld|mariadbd)(_safe|-safe)?($|[\s;&|])`)
	shells         = map[string]bool{"sh": true, "bash": true, "ash": true, "dash": true}
)
