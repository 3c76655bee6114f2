// OpenBao 2.4.0, built to be measured beside: its own main does the same.
package main

import (
	"os"

	"github.com/openbao/openbao/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
