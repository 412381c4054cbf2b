package replication

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// TestWhyNotOnline has the errors of a group's own channels.
func TestWhyNotOnline(t *testing.T) {
	text := func(s string) *string { return &s }
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		state            v1alpha1.GroupState
		subject          mysql.Subject
		channel, message string
		number           string
		words, command   string
		lasts            bool
	}{
		{
			v1alpha1.GroupRecovering, mysql.SubjectConnection, recoveryChannel, "Error connecting to source 'rec@group-0.group:3306'. This was attempt 1/1, with a delay of 60 seconds between attempts. Message: Access denied for user 'rec'@'10.0.0.1'", "1045",
			": it can't get what it lacks from another member: the source refuses its account or password: 1045: Access denied for user 'rec'@'10.0.0.1' (attempt 1/1), 12.0s ago", "", true,
		},
		{v1alpha1.GroupRecovering, mysql.SubjectConnection, recoveryChannel, "Message: Authentication requires secure connection.", "2061", "over TLS only", "SET GLOBAL group_replication_recovery_use_ssl=ON; START GROUP_REPLICATION'", true},
		{v1alpha1.GroupRecovering, mysql.SubjectConnection, recoveryChannel, "Message: Can't connect to MySQL server on 'group-0.group:3306' (111)", "2003", "nothing listens there", "", false},
		{v1alpha1.GroupError, mysql.SubjectWorkers, applierChannel, "Could not execute Write_rows event on table app.t; Duplicate entry '1', Error_code: 1062; handler error", "1062", ": its applier has failed: a row that the source inserted is there already: 1062", "", true},
		{v1alpha1.GroupOffline, mysql.SubjectConnection, recoveryChannel, "Message: Access denied", "1045", "", "", false},
		{v1alpha1.GroupRecovering, mysql.SubjectConnection, "other", "Message: Access denied", "1045", "", "", false},
	} {
		s := serverOf("group-2", "mysql", mysql.Version{Product: mysql.MySQL, Major: 9}, &dbserver.Flavour{})
		Of(s.State).Now = now
		s.Said.Answers = []v1alpha1.DatabaseAnswer{{Subject: string(test.subject), Rows: []map[string]*string{{
			"CHANNEL_NAME": &test.channel, "LAST_ERROR_NUMBER": &test.number, "LAST_ERROR_MESSAGE": &test.message, "LAST_ERROR_TIMESTAMP": text("2026-11-22 11:59:48.000000"),
		}}}}
		got := whyNotOnline(s, test.state)
		if !strings.Contains(got.text, test.words) || test.words == "" && got.text != "" || !strings.HasSuffix(got.command, test.command) || test.command == "" && got.command != "" || got.lasts != test.lasts {
			t.Errorf("%s: %+v", test.message, got)
		}
	}
}
