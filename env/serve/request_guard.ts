/**
 * Protects a server without a token from web pages, so that only programs on this machine can use it. Otherwise, a page
 * could access the server by a name that resolves to this machine (DNS rebinding) or by submitting a form (CSRF).
 */

import type { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { isLoopback } from "./loopback.ts";

/**
 * Rejects requests with a host name that is not a loopback name (421), from pages of another origin (403), or with a
 * content type other than JSON (415). If the server has a token, host names and origins are not checked: pages cannot
 * know the token, and routers may use other host names.
 */
export function guard(app: Hono, { token }: { token?: string | undefined }) {
  app.use(async (c, next) => {
    const { host, hostname } = new URL(c.req.url);
    if (token === undefined) {
      if (!isLoopback(hostname.replaceAll(/[[\]]/g, ""))) {
        throw new HTTPException(421, {
          message:
            `Unknown host name "${host}": address this server as 127.0.0.1 or localhost`,
        });
      }
      const origin = c.req.header("origin");
      if (origin !== undefined && origin !== `http://${host}`) {
        throw new HTTPException(403, {
          message: `Pages from "${origin}" may not access this server`,
        });
      }
    }
    const type = c.req.header("content-type");
    if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) {
      throw new HTTPException(415, {
        message:
          `The content type must be application/json, but it is "${type}"`,
      });
    }
    await next();
  });
}
