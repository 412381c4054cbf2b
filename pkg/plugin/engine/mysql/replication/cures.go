package replication

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// run is the command that runs statements in a server's container, as its administrator: the client asks for the password.
func run(s *dbstate.Server, statements ...string) string {
	client, login := "mysql", "-uroot -p"
	if Of(s.State).Version.Product == mysql.MariaDB {
		client = "mariadb"
	}
	for _, l := range s.Flavour.Logins {
		if l.SocketOnly { // an account that comes in through the socket is the administrator's
			login = "-u" + l.User
			if l.Socket != "" {
				login += " -S" + l.Socket
			}
		}
	}
	return fmt.Sprintf("kubectl exec -it %s -n %s -c %s -- %s %s -e %s", s.Pod.Name, s.Pod.Namespace, s.Container, client, login, finding.Quote(strings.Join(statements, "; ")))
}

// control is a channel in the words of its replica's version.
type control struct {
	mariaDB, renamed bool
	channel          string
}

func controlOf(s *dbstate.Server, c *dbstate.Link) control {
	v := Of(s.State).Version
	return control{
		mariaDB: v.Product == mysql.MariaDB, renamed: v.Product == mysql.MySQL && v.Compare(mysql.Version{Major: 8, Patch: 23}) >= 0,
		channel: strings.ReplaceAll(c.Name, `"`, `""`),
	}
}

// verb is STOP, START or RESET of the channel.
func (k control) verb(word string) string {
	text := word + " SLAVE"
	if k.renamed {
		text = word + " REPLICA"
	}
	switch {
	case k.channel == "":
		return text
	case k.mariaDB:
		return text + ` "` + k.channel + `"`
	}
	return text + ` FOR CHANNEL "` + k.channel + `"`
}

// changed is the statement that changes options of the channel, which are in the newest words.
func (k control) changed(options string) string {
	if !k.renamed {
		options = strings.ReplaceAll(options, "SOURCE_", "MASTER_")
	}
	switch {
	case k.mariaDB && k.channel != "":
		return `CHANGE MASTER "` + k.channel + `" TO ` + options
	case k.renamed:
		options = "CHANGE REPLICATION SOURCE TO " + options
	default:
		options = "CHANGE MASTER TO " + options
	}
	if k.channel != "" {
		options += ` FOR CHANNEL "` + k.channel + `"`
	}
	return options
}

// change changes options of a channel.
func change(options string) func(*dbstate.Server, *dbstate.Link) string {
	return func(s *dbstate.Server, c *dbstate.Link) string {
		k := controlOf(s, c)
		return run(s, k.verb("STOP"), k.changed(options), k.verb("START"))
	}
}

// refetch has the relay log fetched again: from what has been applied, by GTID or by position.
func refetch(s *dbstate.Server, c *dbstate.Link) string {
	k, d := controlOf(s, c), OfChannel(c.Channel)
	switch auto := d.AutoPosition != nil && *d.AutoPosition; {
	case auto && k.mariaDB: // it discards its relay log when both threads are started
		return run(s, k.verb("STOP"), k.verb("START"))
	case auto:
		return run(s, k.verb("STOP"), k.verb("RESET"), k.verb("START"))
	}
	file := d.Row.First("Relay_Source_Log_File", "Relay_Master_Log_File")
	position, ok := d.Row.Int("Exec_Source_Log_Pos", "Exec_Master_Log_Pos")
	if file == "" || !ok {
		return ""
	}
	return run(s, k.verb("STOP"), k.changed(fmt.Sprintf(`SOURCE_LOG_FILE="%s", SOURCE_LOG_POS=%d`, file, position)), k.verb("START"))
}

// startAgain starts the channel.
func startAgain(s *dbstate.Server, c *dbstate.Link) string {
	return run(s, controlOf(s, c).verb("START"))
}

// setPacket lets the replica take the largest events that there are.
func setPacket(s *dbstate.Server, c *dbstate.Link) string {
	name := "slave_max_allowed_packet"
	if controlOf(s, c).renamed {
		name = "replica_max_allowed_packet"
	}
	return run(s, "SET GLOBAL "+name+"=1073741824", controlOf(s, c).verb("START"))
}

// onSource runs a statement on the channel's source, if that is a pod that is known.
func onSource(statement string) func(*dbstate.Server, *dbstate.Link) string {
	return func(_ *dbstate.Server, c *dbstate.Link) string {
		if c.Source == nil {
			return ""
		}
		return run(c.Source, statement)
	}
}

// unblock lets the replica's address try again.
func unblock(s *dbstate.Server, c *dbstate.Link) string {
	if Of(s.State).Version.Product == mysql.MariaDB {
		return onSource("FLUSH HOSTS")(s, c)
	}
	return onSource("TRUNCATE TABLE performance_schema.host_cache")(s, c)
}

// describeSource shows the source's pod.
func describeSource(_ *dbstate.Server, c *dbstate.Link) string {
	if c.Source == nil {
		return ""
	}
	return fmt.Sprintf("kubectl describe pod %s -n %s", c.Source.Pod.Name, c.Source.Pod.Namespace)
}

// dnsOf compares the names of the namespace with what they should be.
func dnsOf(s *dbstate.Server, _ *dbstate.Link) string {
	return "kubectl doik dns -n " + s.Pod.Namespace
}

// volumesOf shows how full the volumes are.
func volumesOf(s *dbstate.Server, _ *dbstate.Link) string {
	return "kubectl doik volumes -n " + s.Pod.Namespace
}
