import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  collect,
  exportedPage,
  type ExportOptions,
  linkModules,
} from "../../../notebooks/viewer/export.ts";
import { Library } from "../../../notebooks/viewer/library.ts";
import { readExpression } from "../../../notebooks/viewer/page/filter.js";
import { writeBigRun } from "../../support/big_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const OPTIONS: ExportOptions = {
  filter: new URLSearchParams(),
  limit: 50,
  withTokens: false,
  version: "1",
  now: new Date(0),
};

async function withLibrary(
  body: (library: Library) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    using library = await Library.open({ named: [], root: dir });
    await body(library);
  });
}

Deno.test("collect() takes the episodes that match a filter, or the named ones", async () => {
  await withLibrary(async (library) => {
    const filter = readExpression("reward<1 and step=2 and sort=-id");
    const failed = await collect(library, { ...OPTIONS, filter });
    assert.ok(failed.episodes.length > 5);
    assert.ok(
      failed.episodes.every(({ row }) => row.reward === 0 && row.step === 2),
    );
    const ids = failed.episodes.map(({ row }) => row.id);
    assert.deepEqual(ids, ids.toSorted((a, b) => b - a));
    const named = await collect(library, { ...OPTIONS, ids: [7, 3] });
    assert.deepEqual(named.episodes.map(({ row }) => row.id), [7, 3]);
    const found = await collect(library, {
      ...OPTIONS,
      filter: readExpression("text=exchange"),
    });
    assert.ok(
      found.episodes.every((one) =>
        JSON.stringify(one.messages).includes("exchange")
      ),
    );
    await assert.rejects(
      collect(library, { ...OPTIONS, ids: [7, 9999] }),
      /no episode 9999/,
    );
  });
});

Deno.test("exportedPage() contains its data and refers to no other URL", async () => {
  await withLibrary(async (library) => {
    const data = await collect(library, {
      ...OPTIONS,
      limit: 3,
      withTokens: true,
    });
    assert.equal(Object.keys(data.tokens).length, 3);
    const page = await exportedPage(data);
    const packed = /id="taulab-data">([^<]*)</.exec(page)?.[1] ?? "";
    const read = JSON.parse(
      gunzipSync(Uint8Array.fromBase64(packed)).toString(),
    );
    assert.deepEqual(read, JSON.parse(JSON.stringify(data)));
    assert.doesNotMatch(page, /(src|href)="(?!#)/);
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
    const script =
      /<script type="module">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? "";
    for (
      const [kind, text] of [["style", style], ["script", script]] as const
    ) {
      const digest = await crypto.subtle.digest(
        "SHA-256",
        new TextEncoder().encode(text),
      );
      const hash = new Uint8Array(digest).toBase64();
      assert.ok(page.includes(`${kind}-src 'sha256-${hash}'`), kind);
    }
  });
});

Deno.test("exportedPage() makes less than 3 MB of 50 episodes", async () => {
  await withLibrary(async (library) => {
    for (const withTokens of [false, true]) {
      const data = await collect(library, { ...OPTIONS, withTokens });
      const page = await exportedPage(data);
      assert.equal(data.episodes.length, 50);
      console.log(
        `50 episodes${withTokens ? " with tokens" : ""}: ${
          (page.length / 1024).toFixed(0)
        } KiB`,
      );
      assert.ok(page.length < 3_000_000);
    }
  });
});

Deno.test("linkModules() joins the page's modules without imports or duplicate names", async () => {
  const script = await linkModules();
  assert.doesNotMatch(script, /^\s*(import|export) /m);
  const names = [
    ...script.matchAll(/^(?:async )?(?:function|const|let|class) (\w+)/gm),
  ]
    .map(([, name]) => name);
  assert.ok(names.length > 60);
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
});
