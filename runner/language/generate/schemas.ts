import { fileURLToPath } from 'node:url';

export const schemaFolder = fileURLToPath(new URL('../../../schemas/', import.meta.url));
