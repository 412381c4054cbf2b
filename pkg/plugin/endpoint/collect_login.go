package endpoint

import (
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Login is the program that a kubeconfig logs in with, and what its command line says of the cluster. The command line itself is not kept: it
// may hold secrets.
type Login struct {
	// Program is the last part of its path.
	Program string `json:"program"`
	// EKS is true for a program that logs in to Amazon EKS: then Cluster and Region are what it was given, if they can be names of these.
	EKS     bool   `json:"eks,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	Region  string `json:"region,omitempty"`
}

// loginOf reads the command line of the programs that log in to EKS: aws eks get-token and aws-iam-authenticator token. It returns nil where
// the kubeconfig needs no program.
func loginOf(login *kube.Login) *Login {
	if login == nil {
		return nil
	}
	l := &Login{Program: baseName(login.Command)}
	var cluster, region string
	if cluster, region, l.EKS = eksOf(l.Program, login.Args); !l.EKS {
		return l
	}
	if eksName.MatchString(cluster) {
		l.Cluster = cluster
	}
	for _, region := range []string{region, login.Env["AWS_REGION"], login.Env["AWS_DEFAULT_REGION"]} {
		if l.Region == "" && awsRegion.MatchString(region) {
			l.Region = region
		}
	}
	return l
}

// eksOf takes a command line apart.
func eksOf(program string, args []string) (cluster, region string, eks bool) {
	var words []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if !strings.HasPrefix(arg, "-") {
			words = append(words, arg)
			continue
		}
		flag, value, joined := strings.Cut(arg, "=")
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		switch flag {
		case "--cluster-name", "--cluster-id", "-i":
			cluster = value
		case "--region":
			region = value
		}
		if !joined && takesValue(flag) {
			i++
		}
	}
	line := " " + strings.Join(words, " ") + " "
	switch program = strings.TrimSuffix(program, ".exe"); {
	case program == "aws-iam-authenticator", strings.Contains(line, " aws-iam-authenticator "): // also under a wrapper
		eks = true
	case program == "aws", strings.Contains(line, " aws "):
		eks = strings.Contains(line, " eks get-token ")
	}
	if !eks {
		return "", "", false
	}
	return cluster, region, true
}

// takesValue reports whether a flag of those programs is followed by its value.
func takesValue(flag string) bool {
	switch flag {
	case "--debug", "--no-verify-ssl", "--no-paginate", "--no-sign-request", "--no-cli-pager", "--no-cli-auto-prompt", "--cli-auto-prompt", "--cache", "--token-only", "--forward-session-name", "--":
		return false
	}
	return true
}
