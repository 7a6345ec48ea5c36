// Package model compares who may see and change what with a model that is
// slow and plainly right. Random trees of collections, groups, permissions,
// people and keys live through random changes by random callers; the built
// program must answer each as the model does, and afterwards show everybody
// exactly what the model lets them see: in every list, by every id, in every
// search, in the trash.
//
// It owns the model (model_test.go), which knows the contract
// (contract/content-data.md 2 to 4, 8.1) and nothing of the program, the random
// changes (change_test.go) and the comparison (look_test.go).
package model
