package replication

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// serverOf is a server of a version in a pod.
func serverOf(pod, container string, v mysql.Version, flavour *dbserver.Flavour) *dbstate.Server {
	return &dbstate.Server{State: &dbstate.State{
		Server:   dbserver.Server{Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: pod}}, Container: container, Flavour: flavour},
		Answered: true, Detail: &Detail{Version: v},
	}}
}

// TestMeanings has the servers' own words: each number and kind with what it means, and the command that repairs it.
func TestMeanings(t *testing.T) {
	text := func(s string) *string { return &s }
	image, socket := &dbserver.Flavour{}, &dbserver.Flavour{Logins: []dbserver.Login{{User: "vt_dba", Socket: "/vt/socket/mysql.sock", SocketOnly: true}}}
	mysql97, mysql57, mariadb := mysql.Version{Product: mysql.MySQL, Major: 9, Minor: 7}, mysql.Version{Product: mysql.MySQL, Major: 5, Minor: 7}, mysql.Version{Product: mysql.MariaDB, Major: 10, Minor: 11}
	const of, asRoot, asRootOfMariaDB = "kubectl exec -it mysql-1 -n shop -c mysql -- ", "mysql -uroot -p -e ", "mariadb -uroot -p -e "
	on := true
	for _, test := range []struct {
		list    []meaning
		version mysql.Version
		flavour *dbserver.Flavour
		channel string
		auto    bool
		number  int64
		message string
		says    string
		command string
	}{
		{receiverMeanings, mysql97, image, "", on, 2003, "Can't connect to MySQL server on 'mysql-0.mysql:3306' (111)", "nothing listens there", "kubectl describe pod mysql-0 -n shop"},
		{receiverMeanings, mariadb, image, "", on, 2003, `Can't connect to server on 'mariadb-0.mariadb' (110 "Connection timed out")`, "no answer from there", "kubectl describe pod mysql-0 -n shop"},
		{receiverMeanings, mysql97, image, "", on, 2005, "Unknown MySQL server host 'x' (-2)", "does not resolve", "kubectl doik dns -n shop"},
		{receiverMeanings, mysql97, image, "", on, 2013, "Lost connection to MySQL server at 'reading initial communication packet', system error: 0", "does not answer", "kubectl describe pod mysql-0 -n shop"},
		{receiverMeanings, mysql97, image, "", on, 2013, "Lost connection to MySQL server during query", "was lost", ""},
		{
			receiverMeanings, mysql97, image, "", on, 2061, "Authentication plugin 'caching_sha2_password' reported error: Authentication requires secure connection.", "over TLS only",
			of + asRoot + "'STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_SSL=1; START REPLICA'",
		},
		{
			receiverMeanings, mysql57, image, "a", on, 2061, "Authentication requires secure connection.", "over TLS only",
			of + asRoot + `'STOP SLAVE FOR CHANNEL "a"; CHANGE MASTER TO MASTER_SSL=1 FOR CHANNEL "a"; START SLAVE FOR CHANNEL "a"'`,
		},
		{receiverMeanings, mysql97, image, "", on, 1045, "Access denied for user 'repl'@'10.0.0.1' (using password: YES)", "refuses its account or password", ""},
		{receiverMeanings, mysql97, image, "", on, 1129, "Host '10.0.0.1' is blocked", "too many failed connections", strings.Replace(of, "mysql-1", "mysql-0", 1) + asRoot + "'TRUNCATE TABLE performance_schema.host_cache'"},
		{receiverMeanings, mysql97, image, "", on, 13114, "Got fatal error 1236 from source when reading data from binary log: 'Replica has more GTIDs than the source has, using the source's SERVER_UUID.'", "lacks transactions of its own", ""},
		{receiverMeanings, mariadb, image, "", on, 1236, "Error: connecting slave requested to start from GTID 0-100-5, which is not in the master's binlog", "does not have the transaction", ""},
		{
			receiverMeanings, mariadb, image, "", on, 1236, "Error: connecting slave requested to start from GTID 0-100-5, which is not in the master's binlog. Since the master's binlog contains GTIDs with higher sequence numbers, it probably means that the slave has diverged",
			"transactions that the source lacks", "",
		},
		{receiverMeanings, mysql97, image, "", on, 13114, "'Client requested source to start replication from position > file size'", "ends before the position", ""},
		{
			receiverMeanings, mysql97, image, "", on, 13114, "'log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source'", "larger than the source's max_allowed_packet",
			strings.Replace(of, "mysql-1", "mysql-0", 1) + asRoot + "'SET GLOBAL max_allowed_packet=1073741824'",
		},
		{receiverMeanings, mysql97, image, "", on, 13114, "'A replica with the same server_uuid/server_id as this replica has connected to the source'", "another replica of the source has the same", ""},
		{receiverMeanings, mysql97, image, "", on, 13114, "'Binary log is not open'", "writes no binary log", ""},
		{receiverMeanings, mysql97, image, "", on, 13114, "'Misconfigured source - source server_id is 0'", "no server_id", ""},
		{receiverMeanings, mysql97, image, "", on, 13114, "'event read from binlog did not pass checksum algorithm check'", "binary log is damaged there", ""},
		{receiverMeanings, mysql97, image, "", on, 13114, "'bogus data in log event'", "binary log is damaged there", ""},
		{receiverMeanings, mysql97, image, "", on, 13114, "something else", "", ""},
		{receiverMeanings, mysql97, image, "", on, 13117, "Fatal error: The replica I/O thread stops because source and replica have equal MySQL server ids; these ids must be different", "source's server_id", ""},
		{receiverMeanings, mariadb, image, "", on, 1593, "Fatal error: The slave I/O thread stops because master and slave have equal MariaDB server ids", "source's server_id", ""},
		{receiverMeanings, mysql97, image, "", on, 13120, "Source command COM_REGISTER_REPLICA failed: Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)", "lacks the privilege", ""},
		{receiverMeanings, mysql97, image, "", on, 13120, "Source command COM_REGISTER_REPLICA failed: Access denied for user 'none'@'%' (using password: NO) (Errno: 1045)", "lacks the privilege", ""},
		{receiverMeanings, mysql97, image, "", on, 13122, "Relay log write failure: could not queue event from source", "the event is damaged, or the disk is full", ""},
		{receiverMeanings, mariadb, image, "", on, 1153, "Got a packet bigger than 'slave_max_allowed_packet' bytes", "larger than its", of + asRootOfMariaDB + "'SET GLOBAL slave_max_allowed_packet=1073741824; START SLAVE'"},
		{applierMeanings, mysql97, image, "", on, 13121, "Relay log read failure: Could not parse relay log event entry.", "fetched again; its data need no repair", of + asRoot + "'STOP REPLICA; RESET REPLICA; START REPLICA'"},
		{applierMeanings, mysql97, socket, "", on, 13121, "Relay log read failure", "fetched again", of + "mysql -uvt_dba -S/vt/socket/mysql.sock -e 'STOP REPLICA; RESET REPLICA; START REPLICA'"},
		{
			applierMeanings, mysql97, image, "", false, 13121, "Relay log read failure", "fetched again",
			of + asRoot + `'STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE="binlog.000002", SOURCE_LOG_POS=3334; START REPLICA'`,
		},
		{applierMeanings, mariadb, image, "a", on, 1594, "Relay log read failure", "fetched again", of + asRootOfMariaDB + `'STOP SLAVE "a"; START SLAVE "a"'`},
		{
			applierMeanings, mariadb, image, "a", false, 1594, "Relay log read failure", "fetched again",
			of + asRootOfMariaDB + `'STOP SLAVE "a"; CHANGE MASTER "a" TO MASTER_LOG_FILE="binlog.000002", MASTER_LOG_POS=3334; START SLAVE "a"'`,
		},
		{applierMeanings, mysql97, image, "", on, 1872, "Replica failed to initialize applier metadata structure from the repository", "can't be read", of + asRoot + "'STOP REPLICA; RESET REPLICA; START REPLICA'"},
		{applierMeanings, mysql97, image, "", on, 1062, "Duplicate entry", "is there already", ""},
		{applierMeanings, mysql97, image, "", on, 1032, "Can't find record in 't'", "is missing", ""},
		{applierMeanings, mysql97, image, "", on, 1396, "Operation CREATE USER failed for 'app'@'%'", "an account", ""},
		{applierMeanings, mysql97, image, "", on, 3100, "Error on observer while running replication hook 'before_commit'.", "Group Replication refuses", ""},
		{applierMeanings, mysql97, image, "", on, 4711, "whatever", "", ""},
	} {
		s, source := serverOf("mysql-1", "mysql", test.version, test.flavour), serverOf("mysql-0", "mysql", test.version, test.flavour)
		row := mysql.Row{"Relay_Source_Log_File": text("binlog.000002"), "Exec_Source_Log_Pos": text("3334")}
		l := &dbstate.Link{Channel: &dbstate.Channel{Name: test.channel, Detail: &ChannelDetail{Row: row, AutoPosition: &test.auto}}, Source: source}
		m := meaningOf(test.list, &v1alpha1.DatabaseError{Number: test.number, Message: test.message})
		if !strings.Contains(m.says, test.says) || (m.says == "") != (test.says == "") {
			t.Errorf("%d %s: %q, want %q", test.number, test.message, m.says, test.says)
		}
		if got := m.command(s, l); got != test.command {
			t.Errorf("%d %s:\n%s\nwant\n%s", test.number, test.message, got, test.command)
		}
	}
	if got := describeSource(nil, &dbstate.Link{}); got != "" {
		t.Errorf("a source that is no pod: %q", got)
	}
}

// TestApplierError has messages without what is long or secret in them.
func TestApplierError(t *testing.T) {
	const uuid = "677a95b5-ec50-11f1-878d-66bce6ee3aee:12"
	for message, want := range map[string]string{
		"Worker 1 failed executing transaction '" + uuid + "' at source log b.000001, end_log_pos 3286; Could not execute Update_rows event on table app.t; Can't find record in 't', Error_code: 1032; handler error":           "1 at " + uuid + ", table app.t: Can't find record in 't'",
		"Worker 1 failed executing transaction '" + uuid + "' at source log b.000001; Error 'Operation CREATE USER failed for 'a'@'%'' on query. Default database: ''. Query: 'CREATE USER 'a'@'%' IDENTIFIED WITH x AS 'hash''": "1 at " + uuid + ": Operation CREATE USER failed for 'a'@'%'",
		"Error 'Duplicate entry '1'' on query. Default database: ''. Query: 'INSERT INTO t VALUES (1)'":                                                                                                                          "1: Error 'Duplicate entry '1'' on query. Default database: ''. Query: 'INSERT INTO t VALUES (1)'",
		"Relay log read failure: Could not parse relay log event entry. The possible reasons are: many.":                                                                                                                         "1: Relay log read failure: Could not parse relay log event entry.",
	} {
		if got := applierError(&v1alpha1.DatabaseError{Number: 1, Message: message}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
