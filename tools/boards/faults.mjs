// What is wrong with a dashboard, from what its panels reported.

const unresolved = /\$\{|\$[A-Za-z_]|\[\[|undefined/;

// Returns a line for each fault. uids are those of the dashboards that links may lead to.
export function faultsOf(report, uids) {
  const faults = [];
  const link = (where, url) => {
    if (unresolved.test(url)) {
      faults.push(`${where}: the link has a variable that nothing resolves: ${url}`);
    }
    const uid = /^\/d\/([^/?]+)/.exec(url)?.[1];
    if (uid && !uids.has(uid)) {
      faults.push(`${where}: the link leads to no dashboard: ${url}`);
    }
  };
  for (const a of report.annotations.filter((x) => x.error)) {
    faults.push(`annotation "${a.name}": ${a.error}`);
  }
  report.links.forEach((url) => link("the dashboard", url));
  for (const p of report.panels) {
    const where = `panel ${p.panel} "${p.title}"`;
    if (p.error) {
      faults.push(`${where}: ${p.error}`);
    }
    p.unknown.forEach((what) => faults.push(`${where}: nothing knows the ${what}`));
    p.links.forEach((url) => link(where, url));
    for (const q of p.queries.filter((x) => x.rows > 0 && !x.visible)) {
      faults.push(`${where}: the values of query ${q.refId} are in no field that is seen: ${q.expr}`);
    }
    if (!p.error && p.empty && !p.noValue) {
      faults.push(`${where}: it is empty, and no text says what that means`);
    }
    if (!p.error && p.empty && p.judged) {
      faults.push(`${where}: it found nothing, and is drawn in ${p.judged}`);
    }
    if (unresolved.test(p.title)) {
      faults.push(`${where}: the title has a variable that nothing resolves`);
    }
  }
  return faults;
}
