/**
 * Who may ask a server that demands no token: programs of this machine. A page in a browser could reach it otherwise, by a
 * name that resolves to this machine (DNS rebinding) or by a form (CSRF).
 */

import type { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { isLoopback } from "./loopback.ts";

/**
 * Refuses requests under another host's name (421), of another origin's page (403), and with a body that is not declared
 * as JSON (415). With a token the first two are not looked at: no page knows it, and routers have names of their own.
 */
export function guard(app: Hono, { token }: { token?: string | undefined }) {
  app.use(async (c, next) => {
    const { host, hostname } = new URL(c.req.url);
    if (token === undefined) {
      if (!isLoopback(hostname.replaceAll(/[[\]]/g, ""))) {
        throw new HTTPException(421, {
          message:
            `This server has no name "${host}": ask it as 127.0.0.1 or localhost`,
        });
      }
      const origin = c.req.header("origin");
      if (origin !== undefined && origin !== `http://${host}`) {
        throw new HTTPException(403, {
          message: `Pages of "${origin}" may not ask this server`,
        });
      }
    }
    const type = c.req.header("content-type");
    if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) {
      throw new HTTPException(415, {
        message: `The body is "${type}": send it as application/json`,
      });
    }
    await next();
  });
}
