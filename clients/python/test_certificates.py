"""Certificates and hosted tools through the SDK's methods, each called at least once."""

from pathlib import Path

import openai
import pytest

from server import filled_server

EXAMPLES = Path(__file__).resolve().parents[2] / "admin/src/resources/certificates/examples"
TOOLS = ["file_search", "web_search", "image_generation", "mcp", "code_interpreter"]


@pytest.fixture(scope="module")
def server():
    with filled_server(people=2, projects=1) as server:
        yield server


@pytest.fixture
def certificates(organization):
    """The part of the client for certificates, of which none is there before and after."""
    certificates = organization.certificates
    yield certificates
    for certificate in certificates.list():
        certificates.delete(certificate.id)


def text(kind):
    return (EXAMPLES / f"{kind}.pem").read_text()


def test_a_certificate_from_its_upload_to_its_end(certificates):
    made = certificates.create(certificate=text("ec"))
    assert (made.object, made.name, made.active) == ("certificate", "ec.example.com", None)
    assert made.certificate_details.valid_at < made.certificate_details.expires_at
    assert certificates.retrieve(made.id) == made
    assert made.certificate_details.content is None
    shown = certificates.retrieve(made.id, include=["content"])
    assert shown.certificate_details.content == text("ec")
    assert certificates.update(made.id, name="Gateway").name == "Gateway"
    [listed] = certificates.list()
    assert (listed.id, listed.name, listed.active) == (made.id, "Gateway", False)
    deleted = certificates.delete(made.id)
    assert deleted.to_dict() == {"id": made.id, "object": "certificate.deleted"}
    with pytest.raises(openai.NotFoundError, match="not found"):
        certificates.retrieve(made.id)


def test_what_is_no_certificate_is_refused(certificates):
    for wrong in ["certificate", text("ec") + text("rsa"), text("ec").replace("CERTIFICATE", "PRIVATE KEY")]:
        with pytest.raises(openai.BadRequestError) as refused:
            certificates.create(certificate=wrong)
        assert (refused.value.code, refused.value.param) == ("invalid_value", "certificate")


def test_certificates_are_active_where_they_were_activated(certificates, organization, project):
    made = [certificates.create(certificate=text(kind)).id for kind in ["ec", "ed25519", "rsa"]]
    of_project = organization.projects.certificates
    places = [
        ("organization", certificates, []),
        ("organization.project", of_project, [project.id]),
    ]
    for name, place, path in places:
        turned = place.activate(*path, certificate_ids=[made[2], made[0]])
        assert turned.object == f"{name}.certificate.activation"
        assert [(row.id, row.active, row.object) for row in turned] == [
            (made[2], True, f"{name}.certificate"),
            (made[0], True, f"{name}.certificate"),
        ]
        assert [(row.id, row.active) for row in place.list(*path, order="asc", limit=2)] == list(
            zip(made, [True, False, True])
        )
        with pytest.raises(openai.NotFoundError):
            place.activate(*path, certificate_ids=[made[1], "cert_unknown"])
    with pytest.raises(openai.BadRequestError, match="is active in the organization"):
        certificates.delete(made[0])
    for name, place, path in places:
        turned = place.deactivate(*path, certificate_ids=made)
        assert turned.object == f"{name}.certificate.deactivation"
        assert [(row.id, row.active) for row in turned] == [(id, False) for id in made]


def test_a_project_does_without_a_tool(organization, project):
    tools = organization.projects.hosted_tool_permissions
    enabled = {tool: {"enabled": True} for tool in TOOLS}
    assert tools.retrieve(project.id).to_dict() == enabled
    changed = tools.update(project.id, mcp={"enabled": False}, web_search=None)
    assert changed.to_dict() == enabled | {"mcp": {"enabled": False}}
    assert tools.retrieve(project.id) == changed
    assert tools.update(project.id, **enabled).to_dict() == enabled
