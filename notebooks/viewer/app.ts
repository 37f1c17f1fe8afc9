/**
 * Creates the viewer's HTTP app, which serves the page's files and, as JSON, its data. The app never writes files, and
 * it rejects requests from other pages.
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

/** Options for {@linkcode viewerApp}. */
export interface ViewerAppOptions {
  readonly library: Library;
  /** taulab's version, shown in the page's footer. */
  readonly version: string;
  /**
   * The token that every request must carry, in the query parameter `token` at first and then in a cookie, or as a
   * bearer token. Default: no token is required.
   */
  readonly token?: string;
}

const COOKIE = "taulab_token";

/** The security headers of all responses. */
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

/** Creates the viewer's app. Serve it with `Deno.serve(options, app.fetch)`. */
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
      error: { kind: "unknown", message: `There is nothing at ${c.req.path}` },
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
 * Rejects requests from other pages and, if there is a token, requests without the token. If there is no token,
 * requests with host names that are not loopback names are rejected instead, to prevent DNS rebinding.
 */
function guard({ token }: ViewerAppOptions) {
  return createMiddleware(async (c, next) => {
    const { host, hostname } = new URL(c.req.url);
    const isOurName = isLoopback(hostname.replaceAll(/[[\]]/g, ""));
    if (token === undefined && !isOurName) {
      return c.text(
        `Unknown host name "${host}": open the viewer as 127.0.0.1 or localhost\n`,
        403,
      );
    }
    if (isOfAnotherPage(c, host)) {
      return c.text("Requests from other origins are refused\n", 403);
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
          "Open the URL printed by deno task view: it contains the token\n",
          401,
        );
      }
    }
    return await next();
  });
}

/**
 * Checks whether a request was made by a page of another origin, such as another port on this machine. Following a link
 * to the viewer is allowed. Only browsers send the headers that are checked.
 * @see Fetch Metadata Request Headers, W3C, section 2.
 */
function isOfAnotherPage(c: Context, host: string): boolean {
  const origin = c.req.header("origin");
  // The scheme is not compared: a proxy in front may use HTTPS.
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

/**
 * Reads the position and the length of the requested part of a list.
 * @throws {FilterError} If `offset` or `limit` is not a non-negative integer.
 */
function stretchOf(c: Context): { offset: number; limit: number } {
  return {
    offset: countAt(c, "offset"),
    limit: Math.min(MAX_ROWS, countAt(c, "limit", 100)),
  };
}

/**
 * Reads a query parameter that is a non-negative integer.
 * @throws {FilterError} If the parameter is not a non-negative integer.
 */
function countAt(c: Context, name: string, standard = 0): number {
  const value = Number(c.req.query(name) ?? standard);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new FilterError(
    `"${name}" must be a non-negative integer, got "${c.req.query(name)}"`,
  );
}

/**
 * Reads the episode id in the path of a request.
 * @throws {ViewerFault} If the id is not a positive integer.
 */
function idOf(c: Context): number {
  const id = Number(c.req.param("id"));
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new ViewerFault(
    "unknown",
    `"${c.req.param("id")}" is not an episode id`,
  );
}
