/** Who may ask a server that others can reach: whoever knows the token. */

import type { Hono, MiddlewareHandler } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { timingSafeEqual } from "hono/utils/buffer";

/**
 * Refuses requests without the token (401). It is a bearer token, or the password of basic authentication: clients of
 * WebSockets can often send no header of their own, but take `http://any:TOKEN@HOST`.
 */
export function tokenGuard(
  app: Hono,
  { token, open }: {
    readonly token: string;
    /** Paths that are open to all. */
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
