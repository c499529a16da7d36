import { redactConfig } from '../../config/redact-config.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';

export const defineConfig: Define = () => (session) => {
  const config = redactConfig(session.config);
  if (session.json) session.printJson({ config });
  else session.print(JSON.stringify(config, undefined, 2));
  return exitCodes.succeeded;
};
