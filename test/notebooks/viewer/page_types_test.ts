import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../../deno.json" with { type: "json" };
import { PAGE_MODULES } from "../../../notebooks/viewer/page_files.ts";
import { inTempDir } from "../../support/temp_dir.ts";

/**
 * The page's modules are not part of `deno check`, because the DOM library applies to a whole program and its types
 * conflict with those of Deno's streams.
 */
Deno.test("the page's modules type-check against the DOM library", async () => {
  await inTempDir(async (dir) => {
    const config = join(dir, "deno.json");
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        imports: project.imports,
        compilerOptions: {
          ...project.compilerOptions,
          checkJs: true,
          lib: ["dom", "dom.iterable", "esnext", "deno.ns"],
        },
      }),
    );
    const page = fileURLToPath(
      new URL("../../../notebooks/viewer/page/", import.meta.url),
    );
    const browserSide = fileURLToPath(new URL("_in_page.js", import.meta.url));
    const files = [
      ...PAGE_MODULES.map((name) => join(page, name)),
      browserSide,
    ];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", config, "--no-lock", ...files],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  });
});
