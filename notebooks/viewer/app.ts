/**
 * The viewer over HTTP: the page's own files, and what it shows as JSON. Reads only, and answers nobody but the
 * page that it served.
 */

import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { etag } from "hono/etag";
import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import { timingSafeEqual } from "hono/utils/buffer";
import { isLoopback } from "../../env/serve/loopback.ts";
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
}

const COOKIE = "taulab_token";

/** How a browser has to treat answers. */
const HEADERS = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  strictTransportSecurity: false, // it is served over HTTP
});

const MAX_ROWS = 500;

/** The app; serve it by `Deno.serve(options, app.fetch)`. */
export function viewerApp(options: ViewerAppOptions): Hono {
  const { library } = options;
  const app = new Hono();
  app.use(HEADERS, guard(options), etag(), async (c, next) => {
    c.header("cache-control", "no-cache");
    await next();
  });
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
    async (c) => c.json({ runs: await library.summaries() }),
  );
  app.get("/api/runs/:run", async (c) => {
    const source = await library.source(c.req.param("run"));
    return c.json(await source.view());
  });
  app.get("/api/runs/:run/tasks", async (c) => {
    const source = await library.source(c.req.param("run"));
    return c.json(await source.tasks());
  });
  app.get("/api/runs/:run/advisories", async (c) => {
    const source = await library.source(c.req.param("run"));
    return c.json({ advisories: await source.advisories() });
  });
  app.get("/api/runs/:run/timeline", async (c) => {
    const source = await library.source(c.req.param("run"));
    const step = c.req.query("step");
    return c.json(await source.timeline(step ? countAt(c, "step") : undefined));
  });
  app.get("/api/runs/:run/episodes", async (c) => {
    const source = await library.source(c.req.param("run"));
    const { offset, limit } = stretchOf(c);
    const index = await source.index();
    return c.json(await index.page(queryOf(c), { offset, limit }));
  });
  app.get("/api/runs/:run/facets", async (c) => {
    const source = await library.source(c.req.param("run"));
    return c.json(await (await source.index()).facets(queryOf(c)));
  });
  app.get("/api/runs/:run/episodes/:id", async (c) => {
    const source = await library.source(c.req.param("run"));
    const id = idOf(c);
    const place = await (await source.index()).place(queryOf(c), id);
    return c.json({ episode: await source.episode(id), place });
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

/**
 * Refuses other host names than loopback's, so that no page of the web reads runs by pointing its own name at this
 * machine; requests that another page makes; and, where there is a token, whoever lacks it.
 */
function guard({ token }: ViewerAppOptions) {
  return createMiddleware(async (c, next) => {
    const { host, hostname } = new URL(c.req.url);
    const isOurName = isLoopback(hostname.replaceAll(/[[\]]/g, ""));
    if (token === undefined && !isOurName) {
      return c.text(
        `This viewer answers on 127.0.0.1 and localhost only, not as "${host}"\n`,
        403,
      );
    }
    if (isOfAnotherPage(c, host)) {
      return c.text("Pages of other origins may not ask this viewer\n", 403);
    }
    if (token !== undefined) {
      const given = c.req.query("token");
      if (given !== undefined && await timingSafeEqual(given, token)) {
        setCookie(c, COOKIE, token, { httpOnly: true, sameSite: "Strict" });
        return c.redirect("/");
      }
      const [, bearer] =
        /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
      const shown = bearer ?? getCookie(c, COOKIE) ?? "";
      if (!await timingSafeEqual(shown, token)) {
        return c.text(
          "Open the address that deno task view printed: it holds the token\n",
          401,
        );
      }
    }
    return await next();
  });
}

/**
 * Whether a page of another origin asks, on this machine's other ports too. Following a link to the viewer is no such
 * request. Programs that are no browsers send neither header.
 * @see Fetch Metadata Request Headers, W3C, section 2.
 */
function isOfAnotherPage(c: Context, host: string): boolean {
  const origin = c.req.header("origin");
  // Not the scheme: a proxy in front may speak HTTPS.
  if (origin !== undefined && URL.parse(origin)?.host !== host) return true;
  const site = c.req.header("sec-fetch-site") ?? "none";
  const isLink = c.req.path === "/" &&
    c.req.header("sec-fetch-mode") === "navigate" &&
    c.req.header("sec-fetch-dest") === "document";
  return site !== "same-origin" && site !== "none" && !isLink;
}

async function pageFile(c: Context, name: string): Promise<Response> {
  const { text, type } = await readPageFile(name);
  return c.body(text, 200, { "content-type": `${type}; charset=utf-8` });
}

function queryOf(c: Context) {
  return readQuery(new URL(c.req.url).searchParams);
}

/** @throws {FilterError} If they are no counts. */
function stretchOf(c: Context): { offset: number; limit: number } {
  return {
    offset: countAt(c, "offset"),
    limit: Math.min(MAX_ROWS, countAt(c, "limit", 100)),
  };
}

/** @throws {FilterError} If it is no count. */
function countAt(c: Context, name: string, standard = 0): number {
  const value = Number(c.req.query(name) ?? standard);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new FilterError(`"${name}" is a count, got "${c.req.query(name)}"`);
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
