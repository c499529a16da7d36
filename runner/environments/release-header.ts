/** The header of every answer that tells which release gave it. The gateway sets it, so that no app can be mistaken for another. */
export const releaseHeader = 'Sluice-Release';
