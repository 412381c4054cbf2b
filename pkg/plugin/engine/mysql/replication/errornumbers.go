package replication

import (
	"regexp"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
)

// meaning is what an error of a receiver or an applier means beyond its own words, and how it is repaired.
type meaning struct {
	numbers []int64
	// text is in the server's words; nil for any.
	text *regexp.Regexp
	// says stands before the server's words; empty where these are enough.
	says string
	// cure is the command that repairs it; nil where that takes a decision, which the code's page explains.
	cure func(*dbstate.Server, *dbstate.Link) string
}

// Numbers of errors by kind. From 8.0 on MySQL has numbers of their own, from 13000 on, for what it writes to its log: those of the same
// meaning stand side by side.
var (
	fatalErrors     = []int64{errSourceFatal, errSourceFatalNew}
	identityErrors  = []int64{1593, 13117}
	relayLogErrors  = []int64{1594, 13121}
	relayLogWriting = []int64{1595, 13122}
	eventErrors     = []int64{1743, 1744}
	commandErrors   = []int64{1597, 13120}
	metadataErrors  = []int64{1871, 1872, 13123, 13124}
	tooLargeErrors  = []int64{1153, 13125}
	fullErrors      = []int64{3, 28, 1021, 1114}
)

// receiverMeanings are those of Last_IO_Errno: of clients (2000 to 2999), of the source that did not let the receiver in, and of both sides'
// logs. The first that fits counts.
var receiverMeanings = []meaning{
	{[]int64{2002, 2003}, regexp.MustCompile(`\(111\b`), "nothing listens there", describeSource},
	{[]int64{2002, 2003}, regexp.MustCompile(`\((110|115)\b`), "no answer from there, as from a node that is down or behind a NetworkPolicy", describeSource},
	{[]int64{2002, 2003}, regexp.MustCompile(`\(113\b`), "there is no route to it", describeSource},
	{[]int64{2005}, nil, "its host name does not resolve in the pod", dnsOf},
	{[]int64{2012, 2013}, regexp.MustCompile(`(?i)communication packet|authorization packet`), "the source accepts connections and then does not answer", describeSource},
	{[]int64{2006, 2013}, nil, "the connection was lost", nil},
	{[]int64{2026}, nil, "TLS failed", nil},
	{[]int64{2058, 2059}, nil, "the replica can't load the authentication plugin of its account", nil},
	{[]int64{2061}, regexp.MustCompile(`(?i)secure connection`), "its account logs in over TLS only (caching_sha2_password)", change("SOURCE_SSL=1")},
	{[]int64{1040, 1203, 1226}, nil, "the source has no connection left for it", nil},
	{[]int64{1045, 1698}, nil, "the source refuses its account or password", nil},
	{[]int64{1129}, nil, "the source blocks its address after too many failed connections", unblock},
	{[]int64{1130}, nil, "its account may not log in from its address", nil},
	{[]int64{1862, 1820}, nil, "the password of its account has expired", nil},
	{[]int64{3118}, nil, "its account is locked", nil},
	{[]int64{3032}, nil, "the source is in offline mode", onSource("SET GLOBAL offline_mode=OFF")},
	{commandErrors, regexp.MustCompile(`(?i)REPLICATION (SLAVE|REPLICA)|COM_(REGISTER|BINLOG)\w* failed:.*\(Errno: ?(1045|1142|1227)\)`), "its account lacks the privilege REPLICATION SLAVE", nil},

	{fatalErrors, regexp.MustCompile(`(?i)more GTIDs than the (source|master)`), "the source lacks transactions of its own that this replica has: its binary logs were reset, or it has lost their end", nil},
	{fatalErrors, regexp.MustCompile(`(?i)higher sequence numbers`), "this replica has transactions that the source lacks", nil},
	{fatalErrors, regexp.MustCompile(`(?i)not in the (source|master)'s binlog`), "the source does not have the transaction after which this replica goes on", nil},
	{fatalErrors, regexp.MustCompile(`(?i)position > file size|impossible position`), "the source's binary log ends before the position to which this replica has read it: the source has lost the end of it", nil},
	{fatalErrors, regexp.MustCompile(`(?i)max_allowed_packet`), "an event is larger than the source's max_allowed_packet, or its binary log is damaged there", onSource("SET GLOBAL max_allowed_packet=1073741824")},
	{fatalErrors, regexp.MustCompile(`(?i)same server_?(uuid|id)`), "another replica of the source has the same server_uuid or server_id", nil},
	{fatalErrors, regexp.MustCompile(`(?i)not open|not enabled`), "the source writes no binary log (log_bin)", nil},
	{fatalErrors, regexp.MustCompile(`(?i)server_?id`), "the source has no server_id", nil},
	{fatalErrors, regexp.MustCompile(`(?i)corrupt|checksum|bogus|truncat|unknown event|crc|binlog event|read(ing)? (a )?log event`), "the source's binary log is damaged there", nil},

	{identityErrors, regexp.MustCompile(`(?i)equal .*server ids`), "it has the source's server_id", nil},
	{identityErrors, regexp.MustCompile(`(?i)equal .*server uuids`), "it has the source's server_uuid", nil},
	{relayLogErrors, nil, "its relay log is damaged and must be fetched again", refetch},
	{relayLogWriting, nil, "an event of the source could not be put into its relay log: the event is damaged, or the disk is full", nil},
	{eventErrors, nil, "an event is damaged, in the source's binary log or on the way", nil},
	{metadataErrors, nil, "its record of what it has received and applied can't be read", refetch},
	{tooLargeErrors, nil, "an event is larger than its replica_max_allowed_packet", setPacket},
	{fullErrors, nil, "its disk is full, or can't be written to", volumesOf},
}

// applierMeanings are those of Last_SQL_Errno.
var applierMeanings = []meaning{
	{relayLogErrors, nil, "its relay log is damaged and must be fetched again; its data need no repair", refetch},
	{metadataErrors, nil, "its record of what it has applied can't be read", refetch},
	{[]int64{1062, 1022, 1586, 1761, 1762}, nil, "a row that the source inserted is there already", nil},
	{[]int64{1032}, nil, "a row that the source changed or deleted is missing", nil},
	{[]int64{1396}, nil, "an account that the source created is there already, or one that it changed is missing", nil},
	{[]int64{1007, 1050, 1304, 1359, 1537}, nil, "what the source created is there already", nil},
	{[]int64{1008, 1049, 1051, 1146, 1305}, nil, "a database or table that the source has is missing", nil},
	{[]int64{1054, 1060, 1061, 1091, 1535, 1677, 13146}, nil, "the table differs from the source's", nil},
	{[]int64{1205, 1213}, nil, "it waited too long for a lock; it may go on from there", startAgain},
	{[]int64{1950}, nil, "it has transactions of its own that come later (gtid_strict_mode)", nil},
	{[]int64{3098}, nil, "Group Replication refuses the transaction: the table has no primary key, or another engine than InnoDB", nil},
	{[]int64{3100, 3101, 3092}, nil, "Group Replication refuses the transaction: it conflicts, is too large, or the server has left its group", nil},
	{fullErrors, nil, "its disk is full, or can't be written to", volumesOf},
}

// meaningOf is what an error means; its zero value if that is not known.
func meaningOf(list []meaning, e *v1alpha1.DatabaseError) meaning {
	i := slices.IndexFunc(list, func(m meaning) bool {
		return slices.Contains(m.numbers, e.Number) && (m.text == nil || m.text.MatchString(e.Message))
	})
	if i < 0 {
		return meaning{}
	}
	return list[i]
}

// said is an error with its meaning before it.
func (m meaning) said(text string) string {
	if m.says == "" {
		return text
	}
	return m.says + ": " + text
}

// command is what repairs it; empty where that is not known.
func (m meaning) command(s *dbstate.Server, c *dbstate.Link) string {
	if m.cure == nil {
		return ""
	}
	return m.cure(s, c)
}
