package claims

import "github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"

// Codes are those of the rules about claims: what a rule finds has one code for claims of a set and another one for the others.
type Codes struct {
	NotBound, Terminating, Filling, Full, InodesFilling, InodesFull, ResizePending, ResizeFailed, AtRisk, Modify v1alpha1.Code
}

// OfSets are the codes of what is found about a set's claims.
func OfSets() Codes {
	return Codes{
		NotBound: v1alpha1.CodeClaimNotBound, Terminating: v1alpha1.CodeClaimTerminating,
		Filling: v1alpha1.CodeVolumeFilling, Full: v1alpha1.CodeVolumeFull,
		InodesFilling: v1alpha1.CodeInodesFilling, InodesFull: v1alpha1.CodeInodesFull,
		ResizePending: v1alpha1.CodeResizePending, ResizeFailed: v1alpha1.CodeResizeFailed,
		AtRisk: v1alpha1.CodeVolumeAtRisk, Modify: v1alpha1.CodeVolumeModify,
	}
}

// OfNoSet are the codes of what is found about the other claims.
func OfNoSet() Codes {
	return Codes{
		NotBound: v1alpha1.CodeFreeNotBound, Terminating: v1alpha1.CodeFreeTerminating,
		Filling: v1alpha1.CodeFreeFilling, Full: v1alpha1.CodeFreeFull,
		InodesFilling: v1alpha1.CodeFreeInodesFilling, InodesFull: v1alpha1.CodeFreeInodesFull,
		ResizePending: v1alpha1.CodeFreeResizePending, ResizeFailed: v1alpha1.CodeFreeResizeFailed,
		AtRisk: v1alpha1.CodeFreeVolumeAtRisk, Modify: v1alpha1.CodeFreeVolumeModify,
	}
}
