\set place random(0, :last)
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT o.id, o.slug, o.default_project_id, k.id, k.scopes, k.expires_at, k.last_used_at, u.id, u.email, u.role
FROM admin_api_keys k
JOIN users u ON u.organization_id = k.organization_id AND u.id = k.owner_id
JOIN organizations o ON o.id = k.organization_id
WHERE k.secret_hash = decode(:hash, 'hex');
SELECT user_id, shown FROM project_members
WHERE organization_id = :organization
  AND (project_id, user_id) > (:project, 'user-' || lpad(:place::text, 24, '0')) AND project_id <= :project
  AND EXISTS (SELECT 1 FROM projects WHERE organization_id = :organization AND id = :project AND archived_at IS NULL)
ORDER BY project_id, user_id LIMIT 21;
COMMIT;
