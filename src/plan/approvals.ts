/**
 * Decides whether the tokens given make a plan confirmed: enough distinct approvers, of the right
 * roles, none of them the requester, each for this plan as it was shown to that person.
 *
 * @module
 */
import type { Approver } from "../config/resolve";
import { MailfuseError } from "../errors";
import { sameName } from "../principals";
import type { Confirmation } from "../purpose";
import type { Approval } from "./record";
import type { TokenClaims } from "./token-form";
import { clockSkew, verifyToken } from "./tokens";
import type { ViewClaims } from "./view";

/** So many distinct approvers, each with one of these roles; no roles: any approver. */
export interface Requirement {
  readonly approvals: number;
  readonly roles: readonly string[];
}

/** What tokens are checked against. */
export interface TokenCheck {
  readonly plan: string;
  readonly digest: string;
  readonly requester: string;
  /** All have to be met; one person may count for several. */
  readonly requirements: readonly Requirement[];
  readonly approvers: ReadonlyMap<string, Approver>;
  /** Approvals already recorded in this round. */
  readonly given: readonly Approval[];
  readonly openView: (view: string) => ViewClaims | undefined;
  readonly now: number;
}

/** Tokens that hold, and what has to be spent with them. */
export interface CheckedTokens {
  readonly approvals: readonly Approval[];
  readonly spent: readonly { readonly id: string; readonly until: number }[];
  /** Why the plan still waits; nothing when it is confirmed. */
  readonly missing: MailfuseError | undefined;
}

/** What a plan of so many people needs: the purpose's own, and every step that it reaches. */
export function requirementsOf(confirm: Confirmation, people: number): readonly Requirement[] {
  const steps = confirm.stepUp.filter((step) => people > step.abovePeople);
  return [confirm, ...steps].map(({ approvals, roles }) => ({ approvals, roles }));
}

/**
 * Checks all tokens, and the recorded ones again: a key taken out of the configuration no longer
 * counts. Throws `TOKEN_*` for a token that does not count.
 */
export async function checkTokens(tokens: readonly string[], check: TokenCheck): Promise<CheckedTokens> {
  const claims = await Promise.all(tokens.map((token) => verifyToken(token, check.approvers, check.now)));
  const spent = claims.flatMap((claim) => {
    checkClaim(claim, check);
    const view = checkView(claim, check);
    // Kept as long as it could verify anywhere: to its end, and the clocks' difference on both sides.
    const kept = (until: number) => until + 2_000 * clockSkew;
    return [
      { id: claim.id, until: kept(claim.expiresAt) },
      { id: `view:${view.id}`, until: kept(view.until) },
    ];
  });
  const fresh = claims.map(
    (claim, index): Approval => ({ by: claim.by, token: claim.id, signed: tokens[index] ?? "", at: check.now }),
  );
  const approvals = [...(await stillGood(check)), ...fresh];
  return { approvals, spent, missing: missing(approvals, check) };
}

/** Recorded approvals whose signatures still verify for the plan as it stands. */
async function stillGood(check: TokenCheck): Promise<Approval[]> {
  const good = await Promise.all(
    check.given.map(async (approval) => {
      try {
        const claim = await verifyToken(approval.signed, check.approvers, approval.at);
        checkClaim(claim, check);
        return claim.by === approval.by;
      } catch {
        return false;
      }
    }),
  );
  return check.given.filter((_, index) => good[index]);
}

function missing(approvals: readonly Approval[], check: TokenCheck): MailfuseError | undefined {
  for (const { approvals: wanted, roles } of check.requirements) {
    const people = new Set(approvals.map(({ by }) => by).filter((by) => fills(check, by, roles)));
    if (people.size >= wanted) continue;
    const having = roles.length > 0 ? ` with the role ${roles.join(" or ")}` : "";
    return new MailfuseError({
      code: "APPROVALS_MISSING",
      message: `Expected confirmations by ${wanted} approver${wanted > 1 ? "s" : ""}${having}, got ${people.size}.`,
      fix: "Have them run `npx mailfuse confirm <plan>` and pass their tokens to fuse.release.",
    });
  }
  return undefined;
}

function fills(check: TokenCheck, by: string, roles: readonly string[]): boolean {
  const own = check.approvers.get(by)?.roles ?? [];
  return roles.length === 0 || roles.some((role) => own.includes(role));
}

function checkClaim(claim: TokenClaims, check: TokenCheck): void {
  if (sameName(claim.by, check.requester)) {
    throw new MailfuseError({
      code: "TOKEN_OWN",
      message: "Expected a confirmation by somebody other than the requester, got the requester's own.",
      fix: "Have another approver look at the plan and confirm it.",
    });
  }
  if (claim.plan !== check.plan || claim.digest !== check.digest) {
    throw new MailfuseError({
      code: "TOKEN_OTHER_PLAN",
      message:
        "Expected a token for this plan as it stands, got one for another plan or for this one before it changed.",
      fix: "Have the approver look at the plan again and confirm what it says now.",
    });
  }
  if (check.requirements.some(({ roles }) => fills(check, claim.by, roles))) return;
  const roles = [...new Set(check.requirements.flatMap((requirement) => requirement.roles))];
  throw new MailfuseError({
    code: "TOKEN_INVALID",
    message: `Expected an approver with the role ${roles.join(" or ")}, got one without it.`,
    fix: "Have an approver with that role confirm.",
  });
}

/** The view has to be one that showed this person this plan as it stands. */
function checkView(claim: TokenClaims, check: TokenCheck): ViewClaims {
  const view = check.openView(claim.view);
  const same = view && view.plan === claim.plan && view.digest === claim.digest && view.by === claim.by;
  if (same && check.now <= view.until) return view;
  throw new MailfuseError({
    code: "TOKEN_UNSEEN",
    message: `Expected a token for a view of the plan that this fuse showed to its signer, got ${same ? "one for a view of more than a day ago" : "one for none"}.`,
    fix: "Have the approver look at the plan with `npx mailfuse confirm <plan>` or fuse.view, and sign what that shows.",
  });
}
