import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CHROMIUM } from "./_browser.ts";

/**
 * Runs the scenarios in a separate process. Playwright reads /proc when it is loaded, which Deno allows only with all
 * permissions, and the other tests run with fewer permissions.
 */
Deno.test({
  name: "the page works in a browser, by page_scenarios.ts (needs Chromium)",
  ignore: CHROMIUM === undefined,
  fn: async () => {
    const scenarios = new URL("page_scenarios.ts", import.meta.url);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--no-check", "--no-prompt", "--allow-all"],
        fileURLToPath(scenarios),
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    const passed = Number(/ok \| (\d+) passed \| 0 failed/.exec(text)?.[1]);
    console.log(text);
    assert.equal(code, 0, text + new TextDecoder().decode(stderr));
    assert.ok(passed >= 13, "each of them ran");
  },
});
