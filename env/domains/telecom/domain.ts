/**
 * Defines τ³-bench's telecom domain. The agent works on the carrier's accounts, and the user has a phone with its own
 * tools.
 */

import { defineDomain } from "../../domain.ts";
import { hashTelecom, isSameTelecom, loadTelecom } from "./databases.ts";
import { serveTelecom } from "./expert/serve_telecom.ts";
import { rowSchemas } from "./schema.ts";
import { syncTelecom } from "./sync.ts";
import { agentTools, functions, userTools } from "./toolbox.ts";
import { phoneUser } from "./user/phone_user.ts";
import { telecomOptionsSchema } from "./world/options.ts";
import { telecomBundle } from "./world/world_bundle.ts";

/**
 * τ³-bench's telecom domain. Its tools perform the same checks in the same order as the original tools, return the same
 * strings and have the same effects.
 *
 * @see sierra-research/tau2-bench, src/tau2/domains/telecom.
 */
export const telecom = defineDomain({
  benchmark: "tau3",
  name: "telecom",
  rowSchemas,
  tools: agentTools,
  bundle: {
    load: loadTelecom,
    hash: hashTelecom,
    isSame: isSameTelecom,
    userTools,
    sync: syncTelecom,
    functions,
    scriptedUser: phoneUser,
    composer: { options: telecomOptionsSchema, compose: telecomBundle },
  },
  expert: serveTelecom,
});
