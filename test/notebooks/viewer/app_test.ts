import assert from "node:assert/strict";
import { join } from "node:path";
import { viewerApp } from "../../../notebooks/viewer/app.ts";
import { Library } from "../../../notebooks/viewer/library.ts";
import {
  PAGE_MODULES,
  readPageFile,
} from "../../../notebooks/viewer/page_files.ts";
import { writeBigRun } from "../../support/big_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

type App = ReturnType<typeof viewerApp>;

async function withApp(
  options: { token?: string },
  body: (app: App, dir: string) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    using library = await Library.open({ named: [], root: dir });
    await body(viewerApp({ library, version: "1", ...options }), dir);
  });
}

function get(app: App, path: string, headers: Record<string, string> = {}) {
  return app.request(`http://127.0.0.1:8686${path}`, { headers });
}

Deno.test("viewerApp() restricts the page to its own files and data", async () => {
  await withApp({}, async (app) => {
    for (const path of ["/", "/page/main.js", "/api/runs", "/api/runs/none"]) {
      const { headers } = await get(app, path);
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/, path);
      assert.match(policy, /script-src 'self'/, path);
      assert.doesNotMatch(policy, /unsafe|https?:|\*/, path);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
    }
  });
});

Deno.test("viewerApp() answers only loopback host names, which prevents DNS rebinding", async () => {
  await withApp({}, async (app) => {
    for (const host of ["127.0.0.1:1", "localhost:1", "[::1]:1"]) {
      assert.equal(
        (await app.request(`http://${host}/api/runs`)).status,
        200,
        host,
      );
    }
    for (const host of ["evil.example", "127.0.0.1.evil.example", "10.0.0.1"]) {
      const response = await app.request(`http://${host}/api/runs`);
      assert.equal(response.status, 403, host);
      assert.doesNotMatch(await response.text(), /retail/);
    }
  });
});

Deno.test("viewerApp() refuses requests from pages of other origins, even with a token", async () => {
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "http://127.0.0.1:9000" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
    // A frame of another site. Other sites may only link to the page, so that it opens in a tab.
    {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "iframe",
    },
  ];
  const link = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  const own: Record<string, string>[] = [
    {},
    { origin: "http://127.0.0.1:8686" },
    { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
    { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" },
  ];
  for (const token of [undefined, "right"]) {
    await withApp(token === undefined ? {} : { token }, async (app) => {
      const authorization = `Bearer ${token}`;
      const status = async (path: string, headers: Record<string, string>) => {
        const response = await get(app, path, { ...headers, authorization });
        await response.body?.cancel();
        return response.status;
      };
      for (const headers of foreign) {
        const name = JSON.stringify(headers);
        assert.equal(await status("/api/runs", headers), 403, name);
        assert.equal(await status("/", headers), 403, name);
      }
      for (const headers of own) {
        const name = JSON.stringify(headers);
        assert.equal(await status("/api/runs", headers), 200, name);
      }
      assert.equal(await status("/", link), 200);
      assert.equal(await status("/api/runs", link), 403);
    });
  }
});

Deno.test("viewerApp() requires its token, and keeps it in a cookie", async () => {
  await withApp({ token: "right" }, async (app) => {
    assert.equal((await get(app, "/")).status, 401);
    assert.equal((await get(app, "/?token=wrong")).status, 401);
    assert.equal(
      (await get(app, "/api/runs", { authorization: "Bearer wrong" })).status,
      401,
    );
    const first = await get(app, "/?token=right");
    assert.equal(first.status, 302);
    const cookie = first.headers.get("set-cookie") ?? "";
    assert.match(cookie, /HttpOnly; SameSite=Strict/);
    const again = await get(app, "/api/runs", {
      cookie: cookie.split(";")[0]!,
    });
    assert.equal(again.status, 200);
    const bearer = await get(app, "/api/runs", {
      authorization: "Bearer right",
    });
    assert.equal(bearer.status, 200);
  });
});

Deno.test("viewerApp() does not resend unchanged responses", async () => {
  await withApp({}, async (app, dir) => {
    const first = await get(app, "/api/runs/a");
    const tag = first.headers.get("etag") ?? "";
    const second = await get(app, "/api/runs/a", { "if-none-match": tag });
    assert.deepEqual([second.status, await second.text()], [304, ""]);
    await Deno.writeTextFile(
      join(dir, "a", "metrics.jsonl"),
      '{"schemaVersion":1,"step":99,"phase":"rl","reward":1}\n',
      { append: true },
    );
    const third = await get(app, "/api/runs/a", { "if-none-match": tag });
    assert.equal(third.status, 200);
    assert.equal((await third.json()).run.steps, 99);
  });
});

Deno.test("viewerApp() reports errors with a status and a message", async () => {
  await withApp({}, async (app, dir) => {
    const wrong: [string, number, RegExp][] = [
      ["/api/runs/none", 404, /no run "none"/],
      ["/api/runs/a/episodes/99999", 404, /no episode 99999/],
      ["/api/runs/a/episodes/x", 404, /not an episode id/],
      ["/api/runs/a/episodes?step=many", 400, /"step" expects a number/],
      ["/api/runs/a/episodes?sort=size", 400, /no field "size"/],
      ["/api/runs/a/episodes?offset=-1", 400, /must be a non-negative integer/],
      ["/page/../app.ts", 404, /There is no/],
      ["/page/other.js", 404, /There is no/],
    ];
    for (const [path, status, words] of wrong) {
      const response = await get(app, path);
      assert.equal(response.status, status, path);
      assert.match((await response.json()).error.message, words, path);
    }
    await Deno.remove(join(dir, "a"), { recursive: true });
    const gone = await get(app, "/api/runs/a");
    assert.equal(gone.status, 410);
    assert.deepEqual((await (await get(app, "/api/runs")).json()).runs, []);
    assert.equal((await get(app, "/api/runs/a")).status, 404);
    await Deno.mkdir(join(dir, "a"));
  });
});

Deno.test("viewerApp() accepts any search text and never runs it as SQL", async () => {
  await withApp({}, async (app) => {
    const texts = [
      '"',
      "'",
      "a AND",
      "NEAR(",
      "*",
      "x' OR 1=1 --",
      "said:x",
      "-yes",
      "^yes",
      "\u0000",
      "👩‍💻",
    ];
    for (const text of texts) {
      const query = new URLSearchParams({
        text,
        task: "~' OR 1",
        intent: "'; DROP TABLE facts",
      });
      for (const what of ["episodes", "facets"]) {
        const response = await get(app, `/api/runs/a/${what}?${query}`);
        assert.equal(response.status, 200, `${what} ${text}`);
        await response.body?.cancel();
      }
    }
  });
});

Deno.test("Library shows runs as they come and go", async () => {
  await inTempDir(async (dir) => {
    using library = await Library.open({ named: [], root: dir });
    assert.deepEqual(await library.summaries(), []);
    await writeBigRun(join(dir, "a"));
    assert.deepEqual((await library.summaries()).map(({ id }) => id), ["a"]);
    await Deno.remove(join(dir, "a"), { recursive: true });
    assert.deepEqual(await library.summaries(), []);
    await assert.rejects(
      Library.open({ named: ["b"], root: dir }),
      /no run "b"/,
    );
  });
});

Deno.test("Library gives runs of the same name different ids", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "x", "a"));
    await writeBigRun(join(dir, "y", "a"));
    const named = [join(dir, "x", "a"), join(dir, "y", "a")];
    using library = await Library.open({ named, root: dir });
    assert.deepEqual(library.sources.map(({ id }) => id), ["a", "a-2"]);
  });
});

Deno.test("index.html preloads every module of the page", async () => {
  const { text } = await readPageFile("index.html");
  const named = [...text.matchAll(/\/page\/(\w+\.js)/g)].map(([, name]) =>
    name
  );
  assert.deepEqual(named, [...PAGE_MODULES]);
});
