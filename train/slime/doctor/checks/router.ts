/**
 * Checks that the installed router supports the policy in `engine.routerPolicy`, and that the policy keeps an episode
 * on one engine. A router does not start with a policy that it does not support.
 */

import { readRouterPolicies } from "../host_router.ts";
import { isSticky, routerPolicy } from "../../plan/router_policy.ts";
import {
  type Check,
  fail,
  type Observed,
  onEachHost,
  pass,
  warn,
} from "../check.ts";

/** The `router` check. */
export const check: Check = {
  id: "router",
  order: 65,
  title: "the installed router supports engine.routerPolicy",
  run: ({ config, batch, hosts, signal }) =>
    onEachHost(hosts.slice(0, 1), async (head) => {
      const { python } = config.paths;
      const policies = await readRouterPolicies(head, { python, signal });
      const asked = config.engine.routerPolicy;
      return [judge(asked, { policies, engines: batch.engines })];
    }),
};

function judge(
  asked: string,
  { policies, engines }: {
    readonly policies: readonly string[];
    readonly engines: number;
  },
): Observed {
  const all = policies.join(", ");
  if (asked !== "auto" && !policies.includes(asked)) {
    return fail(
      `engine.routerPolicy is ${asked}, but the router only supports ${all}`,
      "set engine.routerPolicy to auto, which uses the best of them, or install slime's build of the router",
    );
  }
  const policy = routerPolicy(asked, policies);
  if (engines > 1 && (policy === null || !isSticky(policy))) {
    return warn(
      `${
        policy === null
          ? "the router's default policy"
          : `the router's policy ${policy}`
      } may send an episode's turns to several engines; the router supports ${all}`,
      "install slime's build of the router, or PyPI's sglang-router 0.3.2, whose policy \"manual\" keeps an episode on one engine",
    );
  }
  return pass(
    `the router supports ${all}; the run uses ${
      policy ?? "its default policy"
    }`,
  );
}
