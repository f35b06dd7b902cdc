-- A session that is not over, with its account, the profile chosen in it, and the version of the
-- profile's evidence. The columns of account and profile stand in their models' order.
SELECT
    session.session_data,
    session.expire_date,
    version.version,
    account.id,
    account.password,
    account.last_login,
    account.is_superuser,
    account.username,
    account.first_name,
    account.last_name,
    account.email,
    account.is_staff,
    account.is_active,
    account.date_joined,
    profile.id,
    profile.account_id,
    profile.name,
    profile.external_id,
    profile.created_at,
    profile.is_history_paused,
    profile.is_personalized,
    profile.hides_watched,
    profile.maturity_limit
FROM profiles_session AS session
LEFT JOIN auth_user AS account ON account.id = session.account_id
LEFT JOIN profiles_profile AS profile
    ON profile.id = session.profile_id AND profile.account_id = account.id
LEFT JOIN profiles_evidenceversion AS version ON version.profile_id = profile.id
WHERE session.session_key = %(key)s AND session.expire_date > %(now)s
