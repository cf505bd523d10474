import type { Preview } from './invitation';

/** The inviter, the team, the address, the roles and the expiry of an invitation. */
export function Summary({ preview }: { preview: Preview }) {
  const { teamName, accountName, inviterName, maskedEmail, roleNames, status, expiresAt } = preview;
  return (
    <>
      <h1>{status === 'PENDING' ? `Join ${teamName}` : `Invitation to ${teamName}`}</h1>
      <dl>
        <dt>Team</dt>
        <dd>{teamName}</dd>
        <dt>Account</dt>
        <dd>{accountName}</dd>
        <dt>Invited by</dt>
        <dd>{inviterName || 'a former member'}</dd>
        <dt>{roleNames.length === 1 ? 'Role' : 'Roles'}</dt>
        <dd>{roleNames.length > 0 ? roleNames.join(', ') : 'none, chosen permissions instead'}</dd>
        <dt>For</dt>
        <dd>{maskedEmail}</dd>
        {(status === 'PENDING' || status === 'EXPIRED') && (
          <>
            <dt>{status === 'EXPIRED' ? 'Expired' : 'Expires'}</dt>
            <dd>
              {distance(new Date(expiresAt))}
              <time dateTime={expiresAt}>{moment.format(new Date(expiresAt))}</time>
            </dd>
          </>
        )}
      </dl>
    </>
  );
}

const moment = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** The rounded distance of a moment in words: "in 3 days", "2 hours ago". The page shows the exact moment beside it. */
function distance(then: Date): string {
  const minutes = Math.round((then.getTime() - Date.now()) / 60_000);
  if (Math.abs(minutes) < 1) {
    return minutes === 0 && then.getTime() > Date.now() ? 'in less than a minute' : 'just now';
  }
  if (Math.abs(minutes) < 120) {
    return relative.format(minutes, 'minute');
  }
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 96 ? relative.format(hours, 'hour') : relative.format(Math.round(hours / 24), 'day');
}
