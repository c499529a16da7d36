import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { IssuerConfig } from '../config/config.ts';
import { roles } from './access.ts';
import type { Role, Subject } from './access.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiError } from './problem.ts';
import { digestOf, isTokenSecret } from './tokens.ts';

/** Whose a bearer token is; undefined when it is nobody's, any more or at all. */
export type Authenticate = (bearer: string) => Promise<Subject | undefined>;

export function createAuthenticate({
  store,
  clock,
  issuer,
}: Pick<ApiDependencies, 'store' | 'clock' | 'issuer'>): Authenticate {
  const byIssuer = issuer && verifier(issuer, clock);
  return async (bearer) => {
    if (!isTokenSecret(bearer)) return byIssuer?.(bearer);
    const token = await store.findToken(digestOf(bearer));
    const role = token && roleOf(token.role);
    if (!role || token.revokedAt !== undefined || (token.expiresAt ?? Infinity) <= clock()) return undefined;
    return { name: `token:${token.name}`, role, repositories: token.repositories };
  };
}

/** The token of `authorization: Bearer …`. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([\w~+/.-]+=*)$/i.exec(header ?? '')?.[1];
}

/** Signature, issuer, audience and time are checked by jose; only signatures by key pairs count. */
function verifier({ issuer, audience, jwksUrl, roleClaim, repositoriesClaim }: IssuerConfig, clock: () => number) {
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 });
  const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
  return async (jwt: string): Promise<Subject | undefined> => {
    try {
      const { payload } = await jwtVerify(jwt, keys, {
        issuer,
        audience,
        algorithms,
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(clock()),
      });
      return subjectOf(payload, roleClaim, repositoriesClaim);
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw unreachable(error);
      return undefined;
    }
  };
}

/** Deny by default: no role, no access; no list of repositories, none of them. */
function subjectOf(payload: JWTPayload, roleClaim: string, repositoriesClaim: string): Subject | undefined {
  const role = roleOf(payload[roleClaim]);
  if (!role) return undefined;
  const claimed = payload[repositoriesClaim];
  const repositories = Array.isArray(claimed) ? claimed.filter((name) => typeof name === 'string') : [];
  return {
    name: `oidc:${payload.sub ?? ''}`,
    role,
    repositories: repositories.includes('*') ? undefined : repositories,
  };
}

function roleOf(value: unknown): Role | undefined {
  return roles.find((role) => role === value);
}

function unreachable(cause: unknown): ApiError {
  const error = new ApiError({
    status: 503,
    code: 'issuer_unreachable',
    detail: 'The keys of the token issuer could not be read.',
    next: 'Try again; if it stays, check the address of the keys in the configuration.',
  });
  error.cause = cause;
  return error;
}
