package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// maintenanceVerbs are what the verb maintenance can do, in the order of its help.
var maintenanceVerbs = []func() *cobra.Command{newMaintenanceAdd, newMaintenanceList}

func newMaintenance() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "maintenance COMMAND",
		Short: "Add maintenance windows to specifications, and list them",
		Long: `Maintenance adds a window to the specification where you keep it, as text, and sets the
silence at Alertmanager for the same time; or it lists the windows that there are.`,
		Example: `  upheld maintenance add specs/shop.yaml --for=1h --reason="Database upgrade"
  upheld maintenance list specs/`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			what := "needs a command"
			if len(args) > 0 {
				what = fmt.Sprintf("has no command %q", args[0])
			}
			return usageError{fmt.Errorf("maintenance %s; it is one of %s", what, strings.Join(names, ", "))}
		},
	}
	for _, verb := range maintenanceVerbs {
		cmd.AddCommand(verb())
	}
	return cmd
}
