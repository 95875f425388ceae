package main

// generateHelp describes generate. docs/generate.md lists every file.
const generateHelp = `Generate writes what Prometheus, Grafana and Alertmanager need for agreements:

  DIR/rules/          recording rules and alerts, one file an agreement
  DIR/dashboards/     all levels at a glance, and each agreement, level, composite and exporter
  DIR/prometheus/     the exporter's scrape job, and a complete small configuration
  DIR/alertmanager/   routes by severity, texts of notifications, and receivers for you to fill in:
                      until you do, nobody is notified (or see --alertmanager.merge)
  DIR/tests/          with --tests: tests of the rules for promtool

and, if --outputs names them:

  DIR/grafana/        dashboards and data source, to mount at /etc/grafana/provisioning
  DIR/perses/         the dashboards for Perses
  DIR/objects/        routes, dashboards and addresses to scrape as objects of Kubernetes, with
                      DIR/kustomization.yaml as a base over these and the rules

The same specifications give the same bytes. If there is an error in one of them, no file is
written.

DIR/.upheld-manifest lists what was written, and other files are never touched. If somebody changed
a generated file, or a file of yours has the name of one, that is an error and no file is
written, unless you say --force. Files of agreements that you do not name stay. If they have a
part in a file that all share, name them too, or drop them with --prune. Standard output lists
the paths that changed.`

const generateExamples = `  upheld generate specs/ -o generated

  # only rules, if you have your own dashboards and Alertmanager configuration
  upheld generate specs/ -o generated --outputs=rules

  # in CI: fail if somebody changed a specification and forgot to generate
  upheld generate specs/ -o generated --verify

  # in a pull request: what would change, by rule and alert
  upheld generate specs/ -o generated --diff

  # a specification was deleted: remove what was generated from it
  upheld generate specs/ -o generated --prune

  # one file to standard output
  upheld generate shop.yaml --outputs=rules -o - | promtool check rules

  # tests of the rules, which promtool runs
  upheld generate specs/ -o generated --tests
  promtool test rules generated/tests/*.yaml

  # into the configuration of an Alertmanager that sends other alerts, too
  upheld generate specs/ -o generated --alertmanager.merge=alertmanager.yml

  # dashboards for Perses, besides everything else
  upheld generate specs/ -o generated --outputs=rules,dashboards,prometheus,alertmanager,perses

  # objects for the Prometheus operator
  upheld generate specs/ -o generated --rules.format=operator --operator.namespace=monitoring --operator.label=prometheus=main

  # everything that Kubernetes takes, with a kustomize base
  upheld generate specs/ -o base --rules.format=operator --outputs=rules,prometheus,objects`
