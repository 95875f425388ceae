package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/simulate"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// reportCard says how long alerts take to report outages of several sizes.
func (o *simulateOptions) reportCard(cmd *cobra.Command, agreements []*sla.Agreement, paths []string) error {
	for _, flag := range o.made.given(cmd.Flags()) {
		if !slices.ContainsFunc(cardFlags, func(name string) bool { return "--"+name == flag }) {
			return usageError{fmt.Errorf("%s needs something that happens: --outage=20m, for example", flag)}
		}
	}
	if o.svg != "" {
		return usageError{fmt.Errorf("--svg is the timeline of a scenario: say what happens, as --outage=20m")}
	}
	a, err := oneAgreement(cmd, o.files, paths, o.agreement)
	if err != nil {
		return err
	}
	scenario, err := o.made.scenario(a)
	if err != nil {
		return err
	}
	var levels []*sla.ServiceLevel
	for _, l := range a.Levels {
		if len(scenario.Levels) == 0 || slices.Contains(scenario.Levels, l.ID) {
			levels = append(levels, l)
		}
	}
	bar := newProgress(cmd.ErrOrStderr())
	defer bar.end()
	var cards []*simulate.Card
	for i, l := range levels {
		card, err := simulate.NewCard(cmd.Context(), simulate.Input{
			Agreements: agreements, Scenario: scenario, WarmUp: o.warmUp, Rules: rulegen.Options{},
			Progress: func(share float64) {
				bar.show("simulating "+l.ID.Service+"/"+l.ID.SLO, (float64(i)+share)/float64(len(levels)))
			},
		}, l, simulate.CardBurns()...)
		if err != nil {
			bar.end()
			return o.reported(cmd, agreements, err)
		}
		cards = append(cards, card)
	}
	bar.end()
	data := simulate.CardText(cards)
	if o.format == jsonFormat {
		if data, err = simulate.CardJSON(cards); err != nil {
			return err
		}
	}
	_, err = cmd.OutOrStdout().Write(data)
	return err
}
