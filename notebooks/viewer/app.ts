/**
 * The viewer over HTTP: the page's own files, and what it shows as JSON. Reads only, and answers nobody but the
 * page that it served.
 */

import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import type { Library } from "./library.ts";
import { FilterError, readQuery } from "./page/filter.js";
import { PAGE_FILES, readPageFile } from "./page_files.ts";
import { problemOf, ViewerFault } from "./viewer_source.ts";

/** Settings of {@linkcode viewerApp}. */
export interface ViewerAppOptions {
  readonly library: Library;
  /** taulab's version, for the page's foot. */
  readonly version: string;
  /** Demanded of every request, once as `?token=…` and from then on by a cookie, where it is given. */
  readonly token?: string;
  /**
   * The host names by which it may be asked. Default: those of loopback. Others are refused, so that no page of
   * the web can read runs by pointing its own name at this machine.
   */
  readonly hosts?: readonly string[];
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const MAX_ROWS = 500;

/** The app; serve it by `Deno.serve(options, app.fetch)`. */
export function viewerApp(options: ViewerAppOptions): Hono {
  const { library } = options;
  const app = new Hono();
  app.use(guard(options));
  app.onError((error, c) => {
    const problem = problemOf(error);
    return c.json({ error: problem }, STATUS[problem.kind]);
  });
  app.notFound((c) =>
    c.json({
      error: { kind: "unknown", message: `There is no ${c.req.path}` },
    }, 404)
  );

  app.get("/", (c) => pageFile(c, "index.html"));
  for (const name of PAGE_FILES) {
    app.get(`/page/${name}`, (c) => pageFile(c, name));
  }
  app.get("/api/about", (c) => c.json({ version: options.version }));
  app.get(
    "/api/runs",
    async (c) => tagged(c, { runs: await library.summaries() }),
  );
  app.get("/api/runs/:run", async (c) => {
    const source = await library.source(c.req.param("run"));
    return tagged(c, await source.view());
  });
  app.get("/api/runs/:run/episodes", async (c) => {
    const source = await library.source(c.req.param("run"));
    const { offset, limit } = stretchOf(c);
    const index = await source.index();
    return tagged(c, await index.page(queryOf(c), { offset, limit }));
  });
  app.get("/api/runs/:run/facets", async (c) => {
    const source = await library.source(c.req.param("run"));
    return tagged(c, await (await source.index()).facets(queryOf(c)));
  });
  app.get("/api/runs/:run/episodes/:id", async (c) => {
    const source = await library.source(c.req.param("run"));
    const id = idOf(c);
    const place = await (await source.index()).place(queryOf(c), id);
    return tagged(c, { episode: await source.episode(id), place });
  });
  app.get("/api/runs/:run/episodes/:id/tokens", async (c) => {
    const source = await library.source(c.req.param("run"));
    return c.json(await source.tokens(idOf(c)));
  });
  return app;
}

const STATUS = {
  gone: 410,
  damaged: 422,
  newer: 422,
  unknown: 404,
  filter: 400,
  bug: 500,
} as const;

/** Refuses other hosts and, where there is a token, whoever lacks it; says how a browser has to treat answers. */
function guard({ token, hosts = LOOPBACK }: ViewerAppOptions) {
  return createMiddleware(async (c, next) => {
    setHeaders(c);
    const host = new URL(c.req.url).hostname;
    if (token === undefined && !hosts.includes(host)) {
      return c.text(
        `This viewer answers on ${hosts.join(", ")} only, not as "${host}"\n`,
        403,
      );
    }
    if (token !== undefined) {
      const given = c.req.query("token");
      if (given !== undefined && await isSame(given, token)) {
        c.header(
          "set-cookie",
          `taulab_token=${
            encodeURIComponent(token)
          }; HttpOnly; SameSite=Strict; Path=/`,
        );
        return c.redirect("/");
      }
      const known = /(?:^|; )taulab_token=([^;]*)/.exec(
        c.req.header("cookie") ?? "",
      )?.[1];
      const bearer = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")
        ?.[1];
      const shown = bearer ?? decodeURIComponent(known ?? "");
      if (!await isSame(shown, token)) {
        return c.text(
          "Open the address that deno task view printed: it holds the token\n",
          401,
        );
      }
    }
    return await next();
  });
}

function setHeaders(c: Context): void {
  c.header("content-security-policy", POLICY);
  c.header("x-content-type-options", "nosniff");
  c.header("referrer-policy", "no-referrer");
  c.header("cross-origin-resource-policy", "same-origin");
  c.header("cache-control", "no-cache");
}

/** Compares without telling by its time how much is alike. */
async function isSame(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map(async (text) =>
    new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
    )
  ));
  return x!.reduce((different, byte, i) => different | (byte ^ y![i]!), 0) ===
    0;
}

async function pageFile(c: Context, name: string): Promise<Response> {
  const { text, type } = await readPageFile(name);
  return await tagged(c, text, type);
}

/** An answer that is sent again only if it has changed. */
async function tagged(
  c: Context,
  body: unknown,
  type = "application/json",
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  const tag = `"${new Uint8Array(digest, 0, 16).toHex()}"`;
  c.header("etag", tag);
  if (c.req.header("if-none-match") === tag) return c.body(null, 304);
  return c.body(text, 200, { "content-type": `${type}; charset=utf-8` });
}

function queryOf(c: Context) {
  return readQuery(new URL(c.req.url).searchParams);
}

/** @throws {FilterError} If they are no counts. */
function stretchOf(c: Context): { offset: number; limit: number } {
  const count = (name: string, standard: number) => {
    const value = Number(c.req.query(name) ?? standard);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new FilterError(`"${name}" is a count, got "${c.req.query(name)}"`);
  };
  return {
    offset: count("offset", 0),
    limit: Math.min(MAX_ROWS, count("limit", 100)),
  };
}

/** @throws {ViewerFault} If it is no id. */
function idOf(c: Context): number {
  const id = Number(c.req.param("id"));
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new ViewerFault(
    "unknown",
    `"${c.req.param("id")}" is no id of an episode`,
  );
}
