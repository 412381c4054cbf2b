//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/readonly"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
	"github.com/kubectl-doik/kubectl-doik/test/statements"
)

// fuzzer passes statements to one server, and looks at the server through another session.
type fuzzer struct {
	*testing.T
	d       *database
	mariadb bool
	cluster *kube.Cluster
	connect *mysql.Connector
	server  dbserver.Server
	witness *mysql.Session
	world   statements.World
	// run passes statements to the server, in sessions of its own, and calls held before it ends them.
	run func(f *fuzzer, list []*readonly.Statement, held func())

	answered, refused int
}

// newFuzzer makes a server with tables, views and functions.
func newFuzzer(t *testing.T, mariadb bool) *fuzzer {
	t.Helper()
	s := &faults.Set{Namespace: cluster.NewNamespace(t)}
	f := &fuzzer{T: t, mariadb: mariadb, run: checked, world: statements.World{MariaDB: mariadb, Files: "/var/lib/mysql-files"}}
	if mariadb {
		s.StatefulSet, s.Container, s.Client = "mariadb", "mariadb", "mariadb"
		s.Apply(strings.NewReplacer("replicas: 2", "replicas: 1", "log_slave_updates=ON", "log_slave_updates=ON\n    performance_schema=ON\n    performance_schema_instrument='wait/lock/metadata/sql/mdl=ON'\n    log_bin_trust_function_creators=ON").Replace(s.Manifest("mariadb.yaml")))
		s.Kubectl("rollout", "status", "sts/mariadb", "--timeout=600s")
	} else {
		faults.GroupReplication(s, "mysqlx=OFF", "mysqlx=OFF\n    log_bin_trust_function_creators=ON")
	}
	f.d = &database{s}
	c, err := kube.Connect(kube.NewConnection(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	servers, err := dbserver.Engines{&mysql.Engine}.Find(t.Context(), c, dbserver.Scope{Namespace: s.NS, Names: []string{s.Pod(0)}, PodsAlone: true, ChunkSize: 500})
	if err != nil || len(servers) != 1 {
		t.Fatal(servers, err)
	}
	f.server, f.cluster = servers[0], c
	f.connect = mysql.NewConnector(c, dbserver.Access{Via: dbserver.ViaPortForward, User: "root", ServerTimeout: time.Minute, TLS: dbserver.TLS{Mode: dbserver.TLSDisabled}})
	if f.witness, err = f.connect.Open(t.Context(), f.server); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.witness.Close)
	f.ask(statements.Schema(mariadb)...)
	if !mariadb {
		f.ask("INSTALL COMPONENT 'file://component_none'") // whether or not: components are looked at
		for _, row := range f.ask("SELECT MEMBER_ID AS id FROM performance_schema.replication_group_members")[0].Maps() {
			f.world.Members = append(f.world.Members, row.Text("id"))
		}
		slices.Sort(f.world.Members)
	}
	return f
}

// ask runs statements as the witness. Errors are part of what is seen.
func (f *fuzzer) ask(list ...string) []mysql.Answer {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
	defer cancel()
	answers := f.witness.Ask(ctx, list...)
	if ctx.Err() != nil {
		f.Fatal(ctx.Err())
	}
	return answers
}

// looks are what is looked at, by the products that have it: all that is not a counter, a session's own, or the clock.
var looks = []struct {
	name           string
	mysql, mariadb bool
	statement      string
}{
	{"variables", true, true, "SHOW GLOBAL VARIABLES WHERE Variable_name NOT IN ('timestamp', 'sql_mode')"},
	{"persisted", true, false, "SELECT * FROM performance_schema.persisted_variables"},
	{"tables", true, true, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES ORDER BY 1, 2"},
	{"routines", true, true, "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, LAST_ALTERED FROM information_schema.ROUTINES ORDER BY 1, 2"},
	{"events", true, true, "SELECT * FROM information_schema.EVENTS"},
	{"triggers", true, true, "SELECT * FROM information_schema.TRIGGERS"},
	{"plugins", true, true, "SELECT PLUGIN_NAME, PLUGIN_STATUS FROM information_schema.PLUGINS ORDER BY 1"},
	{"sequence", false, true, "SELECT * FROM fuzz.seq"},
	{"log", true, false, "SHOW BINARY LOG STATUS"},
	{"log", false, true, "SHOW MASTER STATUS"},
	{"members", true, false, "SELECT MEMBER_ID, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members ORDER BY 1"},
	{"failover sources", true, false, "SELECT * FROM performance_schema.replication_asynchronous_connection_failover"},
	{"channels", true, false, "SELECT * FROM performance_schema.replication_connection_configuration"},
	{"channels", false, true, "SELECT 1 FROM DUAL WHERE @@default_master_connection <> ''"},
	{"metadata locks", true, true, "SELECT OBJECT_TYPE, OBJECT_SCHEMA, OBJECT_NAME, LOCK_TYPE FROM performance_schema.metadata_locks WHERE LOCK_TYPE NOT IN ('SHARED_READ', 'SHARED', 'SHARED_HIGH_PRIO') AND NOT (OBJECT_TYPE = 'SCHEMA' AND LOCK_TYPE = 'INTENTION_EXCLUSIVE') AND OWNER_THREAD_ID NOT IN (SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID = CONNECTION_ID()) ORDER BY 1, 2, 3, 4"},
	{"row locks", true, false, "SELECT OBJECT_SCHEMA, OBJECT_NAME, LOCK_TYPE, LOCK_MODE FROM performance_schema.data_locks"},
	{"row locks", true, true, "SELECT trx_rows_locked, trx_rows_modified, trx_tables_locked FROM information_schema.INNODB_TRX WHERE trx_rows_locked + trx_rows_modified + trx_tables_locked > 0"},
	{"user locks", true, true, "SELECT IS_USED_LOCK('fuzz_a') IS NULL, IS_USED_LOCK('fuzz_b') IS NULL, IS_USED_LOCK('fuzz_c') IS NULL"},
}

// sees is what the witness sees, by what it is about.
func (f *fuzzer) sees() map[string]string {
	f.Helper()
	var list, names []string
	for _, l := range looks {
		if f.mariadb && l.mariadb || !f.mariadb && l.mysql {
			list, names = append(list, l.statement), append(names, l.name)
		}
	}
	for _, row := range f.ask("SELECT CONCAT('`', TABLE_SCHEMA, '`.`', TABLE_NAME, '`') AS t FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SEQUENCE') AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema') AND TABLE_NAME NOT IN ('general_log', 'slow_log')")[0].Maps() {
		list, names = append(list, "CHECKSUM TABLE "+row.Text("t")), append(names, "table "+row.Text("t"))
	}
	sees := map[string]string{}
	for i, a := range f.ask(list...) {
		var b strings.Builder
		fmt.Fprint(&b, a.Err)
		for _, row := range a.Rows {
			for _, value := range row {
				if value == nil {
					b.WriteString(" NULL")
					continue
				}
				fmt.Fprintf(&b, " %q", *value)
			}
			b.WriteString("\n")
		}
		sees[names[i]] += b.String()
	}
	// Files that servers make and remove by themselves are left out: temporary ones, redo logs, the list of the buffer pool.
	sees["files"] = f.shell(`find /var/lib/mysql /var/lib/mysql-files /tmp /var/tmp /etc/mysql /var/log/mysql -printf '%p %y\n' 2>/dev/null | grep -v -e innodb_temp -e innodb_redo -e ib_buffer_pool -e '/#' -e aria_log -e sql-temptable | sort`)
	return sees
}

// shell runs a script in the server's container, without a kubectl of its own each time.
func (f *fuzzer) shell(script string) string {
	f.Helper()
	out, err := f.cluster.Exec(f.Context(), kube.Container{Namespace: f.d.NS, Pod: f.d.Pod(0), Name: f.d.Container}, "sh", "-c", script)
	if err != nil {
		f.Fatal(err)
	}
	return out
}

// difference is what has changed, by what it is about, with the first line that is new.
func difference(before, after map[string]string) map[string]string {
	changes := map[string]string{}
	for name, now := range after {
		if before[name] == now {
			continue
		}
		changes[name] = "less than before"
		for line := range strings.Lines(now) {
			if !strings.Contains(before[name], line) {
				changes[name] = strings.TrimSpace(line)
				break
			}
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			changes[name] = "gone"
		}
	}
	return changes
}

func describe(changes map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		list = append(list, name+": "+changes[name])
	}
	return strings.Join(list, "; ")
}

// sessions is how many readers work at once: most of a statement's time is the way there and back.
const sessions = 16

// checked runs statements as mysql-query does, some in each of several transactions.
func checked(f *fuzzer, list []*readonly.Statement, held func()) {
	readers := make([]*checkedReader, min(sessions, len(list)))
	var group sync.WaitGroup
	for i := range readers {
		r := &checkedReader{f: f}
		readers[i] = r
		group.Go(func() {
			r.open()
			for at := i; at < len(list); at += len(readers) {
				r.run(list[at])
			}
		})
	}
	group.Wait()
	held()
	for _, r := range readers {
		r.close()
		f.answered += r.answered
		f.refused += r.refused
	}
}

// checkedReader is a session like that of mysql-query.
type checkedReader struct {
	f                 *fuzzer
	session           *mysql.Session
	reader            *mysql.Reader
	answered, refused int
}

func (r *checkedReader) open() {
	var err error
	if r.session, err = r.f.connect.OpenReader(r.f.Context(), r.f.server); err == nil {
		r.reader, err = r.session.BeginRead(r.f.Context(), mysql.Limits{Rows: 100, Time: 5 * time.Second})
	}
	if err != nil {
		r.f.Error(err)
		r.reader = nil
	}
}

func (r *checkedReader) close() {
	if r.reader != nil {
		r.reader.End(r.f.Context())
		r.session.Close()
	}
}

func (r *checkedReader) run(s *readonly.Statement) {
	if r.reader == nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.f.Context(), 30*time.Second)
	defer cancel()
	_, err := r.reader.Run(ctx, s)
	var said *mysql.ServerError
	var refused *mysql.RefusedError
	switch {
	case err == nil:
		r.answered++
	case errors.As(err, &refused):
		r.refused++
	case !errors.As(err, &said):
		r.f.Logf("%q: %v", s.Text, err)
		r.session.Close()
		r.open()
	}
}

// batch runs statements and returns what has changed, while they ran and after.
func (f *fuzzer) batch(list []*readonly.Statement) map[string]string {
	f.Helper()
	f.reset()
	before := f.sees()
	var changed map[string]string
	f.run(f, list, func() { changed = difference(before, f.sees()) })
	maps.Copy(changed, difference(before, f.sees()))
	return changed
}

// reset undoes what earlier statements can have done, so that they do it again.
func (f *fuzzer) reset() {
	f.Helper()
	// A server learns of a session's end a moment later.
	cluster.Eventually(f.T, 30*time.Second, func() error {
		list := f.ask("SELECT 1 FROM DUAL WHERE COALESCE(IS_USED_LOCK('fuzz_a'), IS_USED_LOCK('fuzz_b'), IS_USED_LOCK('fuzz_c')) IS NOT NULL", "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_rows_locked > 0")
		if len(list[0].Rows)+len(list[1].Rows) > 0 {
			return errors.New("an earlier session has locks still")
		}
		return nil
	})
	f.shell("rm -f " + f.world.Files + "/fuzz* /tmp/fuzz*")
	if !f.mariadb {
		f.ask("SELECT asynchronous_connection_failover_reset()")
		if a := f.ask("SELECT 1 FROM DUAL WHERE NOT @@group_replication_single_primary_mode")[0]; len(a.Rows) > 0 {
			f.ask("SELECT group_replication_switch_to_single_primary_mode(@@server_uuid)")
		}
		if a := f.ask("SELECT MEMBER_ROLE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid AND MEMBER_ROLE <> 'PRIMARY'")[0]; len(a.Rows) > 0 {
			f.ask("SELECT group_replication_set_as_primary(@@server_uuid)")
		}
	}
}

// culprits halves statements after which something has changed until single ones are left.
func (f *fuzzer) culprits(list []*readonly.Statement) []string {
	f.Helper()
	changed := f.batch(list)
	switch {
	case len(changed) == 0:
		return nil
	case len(list) == 1:
		return []string{fmt.Sprintf("%q changes %s", list[0].Text, describe(changed))}
	}
	first := f.culprits(list[:len(list)/2])
	if len(first) > 3 {
		return first
	}
	return append(first, f.culprits(list[len(list)/2:])...)
}

// modes are values of sql_mode that servers have, and that change how a statement is read.
func (f *fuzzer) modes() []string {
	list := []string{"", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI", "IGNORE_SPACE,PIPES_AS_CONCAT", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"}
	if f.mariadb {
		list = append(list, "POSTGRESQL", "ORACLE", "MSSQL")
	}
	return list
}

// fuzz makes statements, passes those that take lets through, and returns what changed. Without halve it goes on after a change.
func (f *fuzzer) fuzz(seed uint64, count int, take func(string) (*readonly.Statement, error), halve bool) (taken int, changed map[string]int) {
	f.Helper()
	size := min(1000, max(250, count/100))
	changed = map[string]int{}
	g := statements.New(seed, f.world)
	modes := f.modes()
	for done, n := 0, 0; done < count; n++ {
		var list []*readonly.Statement
		for range min(size, count-done) {
			done++
			if s, err := take(g.Next()); err == nil {
				list = append(list, s)
			}
		}
		taken += len(list)
		f.ask("SET GLOBAL sql_mode = '" + modes[n%len(modes)] + "'")
		names := f.batch(list)
		for name := range names {
			changed[name]++
		}
		if len(names) > 0 && halve {
			culprits := f.culprits(list)
			f.Errorf("with sql_mode %q, something has changed: %s\n%s", modes[n%len(modes)], describe(names), strings.Join(culprits, "\n"))
			if len(culprits) > 0 {
				return taken, changed
			}
		}
		if n%5 == 4 {
			f.Logf("%d statements, %d taken, %d answered with rows, %d refused for their views or functions", done, taken, f.answered, f.refused)
		}
	}
	f.ask("SET GLOBAL sql_mode = DEFAULT")
	return taken, changed
}

// fuzzCount is how many statements are made for each product: DOIK_FUZZ.
func fuzzCount(t *testing.T) int {
	text := os.Getenv("DOIK_FUZZ")
	switch {
	case text != "":
	case os.Getenv("CI") == "true": // which has no time for more
		return 2000
	default:
		return 5000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("DOIK_FUZZ=%s: %v", text, err)
	}
	return n
}

// TestMySQLFuzz generates statements, passes those that the check of mysql-query lets through to real servers, and compares what another
// session sees before, while they are open, and after. DOIK_FUZZ=100000 makes more of them, DOIK_FUZZ_SEED others.
func TestMySQLFuzz(t *testing.T) {
	seed := uint64(14)
	if text := os.Getenv("DOIK_FUZZ_SEED"); text != "" {
		_, _ = fmt.Sscan(text, &seed)
	}
	for product, mariadb := range map[string]bool{"MySQL": false, "MariaDB": true} {
		t.Run(product, func(t *testing.T) {
			f := newFuzzer(t, mariadb)
			f.findsHoles()
			count := fuzzCount(t)
			from := time.Now()
			taken, _ := f.fuzz(seed, count, func(text string) (*readonly.Statement, error) { return readonly.Check(text, false) }, true)
			t.Logf("%s, seed %d: of %d statements %d were taken, %d answered with rows, %d refused for their views or functions, in %s", product, seed, count, taken, f.answered, f.refused, time.Since(from).Round(time.Second))
			if taken < count/10 || f.answered < taken/10 || f.refused == 0 {
				t.Errorf("the statements are too poor to show anything")
			}
		})
	}
}

// findsHoles lets every statement that begins as a read through, in a read-only transaction: then changes of all kinds must be seen, or the
// generator or the witness is too weak.
func (f *fuzzer) findsHoles() {
	f.Helper()
	f.run = unchecked
	_, changed := f.fuzz(1, 3000, func(text string) (*readonly.Statement, error) {
		first, _, _ := strings.Cut(strings.TrimLeft(text, "( "), " ")
		if !slices.Contains([]string{"SELECT", "SHOW", "EXPLAIN", "DESC", "WITH", "TABLE", "VALUES"}, first) {
			return nil, errors.New("no read")
		}
		return &readonly.Statement{Text: text}, nil
	}, false)
	want := []string{"variables", "files", "user locks", "metadata locks", "row locks"}
	if !f.mariadb { // whose read-only transactions refuse to change a sequence
		want = append(want, "failover sources", "members")
	}
	for _, name := range want {
		if changed[name] == 0 {
			f.Errorf("without a check, no change of %s was seen: %v", name, changed)
		}
	}
	f.Logf("without a check, batches in which something changed: %v", changed)
	f.run, f.answered, f.refused = checked, 0, 0
}

// unchecked runs statements as they are in a read-only transaction.
func unchecked(f *fuzzer, list []*readonly.Statement, held func()) {
	var session *mysql.Session
	open := func() {
		var err error
		if session, err = f.connect.OpenReader(f.Context(), f.server); err != nil {
			f.Fatal(err)
		}
		session.AskInOrder(f.Context(), "SET SESSION sql_select_limit=100", map[bool]string{false: "SET SESSION max_execution_time=3000", true: "SET SESSION max_statement_time=3"}[f.mariadb], "START TRANSACTION READ ONLY")
	}
	open()
	for _, s := range list {
		ctx, cancel := context.WithTimeout(f.Context(), 10*time.Second)
		_, err := session.Query(ctx, s.Text)
		cancel()
		var said *mysql.ServerError
		if err != nil && !errors.As(err, &said) {
			session.Close()
			open()
		}
	}
	held()
	session.AskInOrder(f.Context(), "ROLLBACK")
	session.Close()
}
