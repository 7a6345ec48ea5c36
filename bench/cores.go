package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
)

// cores splits the machine between server and load.
func cores() (server, load string) {
	if runtime.NumCPU() < 2 {
		return "", ""
	}
	return "0", "1"
}

// pinned makes a command that runs on the given cores only, such as "0"; ""
// means all. Without taskset it runs on all.
func pinned(cores string, name string, args ...string) *exec.Cmd {
	if tool, err := exec.LookPath("taskset"); err == nil && cores != "" {
		return exec.Command(tool, append([]string{"-c", cores, name}, args...)...)
	}
	return exec.Command(name, args...)
}

// stay keeps this process on the given cores until the function that it
// returns is called.
func stay(cores string) (free func(), err error) {
	tool, err := exec.LookPath("taskset")
	if err != nil || cores == "" {
		return func() {}, nil
	}
	move := func(to string) error {
		out, err := exec.Command(tool, "-a", "-c", "-p", to, strconv.Itoa(os.Getpid())).CombinedOutput()
		if err != nil {
			return fmt.Errorf("taskset: %w: %s", err, out)
		}
		return nil
	}
	if err := move(cores); err != nil {
		return nil, err
	}
	before := runtime.GOMAXPROCS(1)
	return func() {
		_ = move(fmt.Sprintf("0-%d", runtime.NumCPU()-1))
		runtime.GOMAXPROCS(before)
	}, nil
}
