import assert from "node:assert/strict";
import { audit } from "../../env/audit/audit.ts";
import { defineDomain } from "../../env/domain.ts";
import { registerDomain } from "../../env/domains/registry.ts";
import { retail } from "../../env/domains/retail/domain.ts";
import { generated } from "../../env/generated/generated.ts";
import { reportText } from "../../tasks/_audit_view.ts";

Deno.test("reportText() reports checks that were skipped because the domain has no policy", async () => {
  const { policy: _, ...parts } = retail;
  const domain = defineDomain({ ...parts, benchmark: "unpoliced" });
  registerDomain(domain);
  const sizes = { trainTasks: 1, devTasks: 1, testTasks: 1 };
  const dataset = { ...await generated(1, sizes), benchmark: "unpoliced" };
  const report = audit(dataset);
  assert.deepEqual(report.unchecked, ["forbidden"]);
  const text = reportText(report, { domain, show: 0 });
  assert.match(
    text,
    /the policy forbids +not checked +not checked +not checked\n/,
  );
  assert.match(text, /do-nothing baseline +0 +0 +0\n/);
});
