/** Restricts access to a server to clients that have its token. */

import type { Hono, MiddlewareHandler } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { timingSafeEqual } from "hono/utils/buffer";

/**
 * Rejects requests without the token with status 401. Clients send it as a bearer token, or as the password of basic
 * authentication, since WebSocket clients often cannot set headers but accept URLs such as `http://any:TOKEN@HOST`.
 */
export function tokenGuard(
  app: Hono,
  { token, open }: {
    readonly token: string;
    /** The paths that require no token. */
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
