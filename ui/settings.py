"""Settings of the surfaces; read from the environment in `ui.cli` only."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from retrieval.encoder import DEFAULT_ENCODER


def _home() -> Path:
    return user_data_path("attune", appauthor=False)


class Settings(BaseSettings):
    """What an operator may set, as ATTUNE_… variables; command-line options go first."""

    model_config = SettingsConfigDict(env_prefix="ATTUNE_", env_ignore_empty=True, frozen=True)

    home: Path = Field(
        default_factory=_home, description="Folder for the demo catalog and exported encoders."
    )
    store: str | None = Field(
        None, description="SQLAlchemy URL of the session store; by default a file in the project."
    )
    user_secret: SecretStr | None = Field(
        None,
        description="What user ids are hashed with, 16 characters or more; by default made on "
        "first use and kept in user.secret of the project.",
    )
    text_key: SecretStr | None = Field(
        None,
        description="Fernet keys for what was said, separated by commas: the first encrypts, all "
        "decrypt; without one texts are stored in clear.",
    )
    mask: bool = Field(
        True, description="Whether personal data is masked before it is stored: on or off."
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        description="Days after its last use that a session is kept; by default for good.",
    )
    encoder: str = Field(DEFAULT_ENCODER, description="Encoder of new indexes.")
    index_url: SecretStr | None = Field(
        None,
        description="URL of the index's server, with its password if it has one; by default what "
        "the project names.",
    )
    index_key: SecretStr | None = Field(None, description="API key of that server.")
    llm: str | None = Field(
        None,
        description="What plans the turns: base URL of an OpenAI-compatible server, folder of a "
        "model, `house` (the default where it is installed) or `none`.",
    )
    model: str | None = Field(None, description="Name of the model on that server.")
    adapter: str | None = Field(
        None,
        description="LoRA adapter that answers instead of those the project's routes name: its "
        "folder, or its name on that server.",
    )
    explore: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of slates that are drawn at random from the best, with known chances.",
    )
    llm_prompt: Literal["auto", "plan@1", "plan@2"] = Field(
        "auto",
        description="How the model is asked: plan@1 with instructions, plan@2 with the tagged "
        "turn that the house model and adapters on it were trained on; auto: plan@2 for a name "
        "that begins with house.",
    )
    prompts: Path | None = Field(
        None,
        description="Folder with wordings of your own: plan.v1.md, explain.v2.md; those that are "
        "not there are as released.",
    )
    llm_sure: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least confidence at which a trained model's plan is taken "
        "where the rules have another; by default what was found best for the house model.",
    )
    llm_threads: int | None = Field(
        None, ge=1, description="Threads of a model in this process; by default what it is worth."
    )
    vllm_python: Path | None = Field(
        None, description="Interpreter that has vLLM, for `attune llm serve`."
    )
    llm_key: SecretStr | None = Field(None, description="API key of that server.")
    admin_key: SecretStr | None = Field(
        None, description="Key of those who decide on adapters over HTTP; without one nobody may."
    )
    metrics_key: SecretStr | None = Field(
        None,
        description="Key that opens /metrics, of all tenants, and nothing else: for the scraper.",
    )
    deadline_s: float = Field(
        3.0, gt=0, description="Seconds the model has for a plan before the rules take over."
    )

    explainer: Literal["template", "model"] = Field(
        "template",
        description="Who words explanations: fixed sentences, or the language model, checked "
        "sentence by sentence.",
    )
    explain_s: float = Field(
        5.0, gt=0, description="Seconds the model has for the words on one item."
    )

    log: Literal["json", "text"] | None = Field(
        None,
        description="What the server logs: JSON lines, or text for people; by default text on a "
        "terminal, JSON elsewhere.",
    )

    catalog: Path | None = Field(
        None, description="File of the catalog that the job reindex reads again."
    )
    threads: int = Field(
        64, ge=1, description="Turns that one process has under way; others stand in line."
    )
    drain_s: float = Field(
        0.0,
        ge=0,
        description="Seconds that a server told to stop goes on taking requests, while /ready "
        "answers 503 so that load balancers find out.",
    )
    stop_s: int = Field(
        30, ge=1, description="Seconds that requests and jobs under way have to finish then."
    )

    pictures: Path | None = Field(
        None,
        description="Folder that items' relative picture paths start from; by default `catalog` in "
        "the project.",
    )
    ui_password: SecretStr | None = Field(
        None, description="Password of the owner's pages; without one there are none."
    )
    auth: Literal["auto", "required", "open"] = Field(
        "auto",
        description="Whether requests need an API key: auto, once one is stored, and always where "
        "others than this machine are listened to.",
    )
    rate_key: str | None = Field(
        None, description="Requests that each API key may send, e.g. 60/minute; 5000/day."
    )
    rate_tenant: str | None = Field(None, description="Requests of all keys together.")
    limits_storage: SecretStr = Field(
        SecretStr("memory://"),
        description="Where requests are counted: memory:// for one process, redis://HOST:PORT for "
        "several.",
    )
    tokens_key: int | None = Field(
        None, ge=1, description="Tokens that each API key may use in a day (UTC)."
    )
    tokens_tenant: int | None = Field(None, ge=1, description="Tokens of all keys together.")
    origins: str = Field(
        "", description="Origins of web pages that may call from the browser, with commas; * any."
    )
    body_bytes: int = Field(
        16 * 1024 * 1024, ge=1024, description="Most bytes of a request's body."
    )
    request_s: float = Field(60.0, gt=0, description="Seconds that a request may take.")
    wait_s: float = Field(
        15.0,
        gt=0,
        description="Seconds that a turn may stand in line; where it would be longer, it is told "
        "at once to come back.",
    )
    turns_at_once: int = Field(
        1_000, ge=1, description="Turns under way and in line; more are told to come back."
    )

    @property
    def models(self) -> Path:
        """Return where exported encoders are kept."""
        return self.home / "models"
