/** Restricts a server to clients with its token. */

import type { Hono, MiddlewareHandler } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { timingSafeEqual } from "hono/utils/buffer";

/**
 * Rejects requests without the token (401). Clients send it as a bearer token or as the password of basic
 * authentication: WebSocket clients often cannot set headers, but accept `http://any:TOKEN@HOST`.
 */
export function tokenGuard(
  app: Hono,
  { token, open }: {
    readonly token: string;
    /** Paths that need no token. */
    readonly open: readonly string[];
  },
): void {
  const bearer: MiddlewareHandler = bearerAuth({ token });
  const basic: MiddlewareHandler = basicAuth({
    verifyUser: (_, password) => timingSafeEqual(password, token),
  });
  app.use(async (c, next) => {
    if (open.includes(c.req.path)) return await next();
    const isBasic = /^basic /i.test(c.req.header("authorization") ?? "");
    return await (isBasic ? basic : bearer)(c, next);
  });
}
