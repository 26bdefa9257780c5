//! The builders as a list, who would build for which platform, and, where none can, how one is made that does.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    builders::{Builder, Needed, choose},
    fact::Fact,
    fix::{BackStep, CommandKind, Fix, RuntimeChange, Safety, Step},
    platform::Platform,
    runtime_fix::{Change, image_store},
    schema::Schema,
};
use silidock_engine::{DockerClient, Engine};
use silidock_observe::builders;
use silidock_remedy::{
    Preview, Receipt, Subject, Verified,
    runtime::{self, HostTools},
};
use ts_rs::TS;

use super::plan::{Site, words_of};
use super::wire::{PlannedPlatform, RebuildRequest};
use crate::{
    changes::{blocking, token},
    failure::{Failure, FailureCode},
    session::App,
    wire::ChangeOutcome,
};

/// The builder that is made where none can do the job.
const OURS: &str = "silidock";

/// Whose builders, and what they are wanted for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct BuildersRequest {
    /// As in `ScanRequest`.
    #[serde(default)]
    pub engine: Option<String>,
    /// Platforms to build for; without any, the engine's own.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// What switches on containerd's image store is worked out, too. On a Mac that may read Docker Desktop's settings, for which macOS
    /// may ask.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub containerd_store: bool,
    /// Image that the new builder runs, where that is not moby/buildkit of Docker Hub.
    #[serde(default)]
    #[ts(optional)]
    pub image: Option<String>,
}

/// Something that was proposed and is now wanted.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ProposalToken {
    /// From [`BuildersDocument`]: what was shown is what is done, or nothing is.
    pub token: String,
}

/// A proposal as it was shown.
#[derive(Debug, Clone)]
pub(crate) struct Proposed {
    pub(super) request: BuildersRequest,
    pub(super) endpoint: String,
    pub(super) fix: Fix,
    pub(super) preview: Preview,
}

/// The builders, and who would build.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct BuildersDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Address of the engine.
    pub endpoint: String,
    /// All of them, or why they cannot be listed.
    pub builders: Fact<Vec<Builder>>,
    /// Who would build for each wanted platform; empty where none can.
    pub platforms: Vec<PlannedPlatform>,
    /// What each builder lacks, where none can.
    pub lacking: Vec<String>,
    /// What makes a builder that can, where none can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub proposal: Option<Fix>,
    /// What that would run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub preview: Option<Preview>,
    /// Names exactly that for [`ProposalToken`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
    /// Several platforms are wanted, and only another image store lets this engine hold them under one tag.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub store_lacks: bool,
    /// What switches on containerd's image store, where that was asked for; shown only where it cannot be done from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub store_proposal: Option<Fix>,
    /// What that would run and write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub store_preview: Option<Preview>,
    /// Names exactly that for [`ProposalToken`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub store_token: Option<String>,
}

impl App {
    /// Lists the builders, says who would build for the wanted platforms, and where none can, what makes one that does.
    ///
    /// # Errors
    /// There is no engine, or something wanted is no platform.
    pub async fn builders(self: &Arc<Self>, request: BuildersRequest) -> Result<BuildersDocument, Failure> {
        let engine = self.engine_to_build_on(request.engine.as_deref()).await?;
        let inventory = self.seen()?.inventory;
        let asked = RebuildRequest { platforms: request.platforms.clone(), ..RebuildRequest::default() };
        let wanted = super::plan::asked_for(&asked, &inventory)?;
        let host = self.host().as_ref();
        let found = builders(host, &engine, inventory.engine.image_store).await;
        let mut document = BuildersDocument {
            schema: Schema,
            endpoint: engine.target().endpoint.to_string(),
            builders: found.clone(),
            platforms: Vec::new(),
            lacking: Vec::new(),
            proposal: None,
            preview: None,
            token: None,
            store_lacks: wanted.len() > 1 && image_store(&inventory).is_ok(),
            store_proposal: None,
            store_preview: None,
            store_token: None,
        };
        if request.containerd_store {
            let (fix, preview) = self.store_proposal(&engine).await?;
            document.store_token = Some(self.propose(&request, &document.endpoint, &fix, &preview));
            (document.store_proposal, document.store_preview) = (Some(fix), Some(preview));
        }
        let (Fact::Known(known), Ok(client)) = (found, DockerClient::of(host, &engine)) else { return Ok(document) };
        match choose(&known, &wanted, Needed::default()) {
            Ok(taken) => {
                let site =
                    Site { host, client: Some(&client), builders: &known, inventory: &inventory, request: &asked };
                document.platforms = taken.iter().map(|on| site.planned_platform(on)).collect();
            }
            Err(lacking) => {
                document.lacking = lacking.into_iter().map(|(name, why)| format!("{name} {why}")).collect();
                if let Some(why) = needs_context(&engine) {
                    document.lacking.push(why);
                } else if known.iter().all(|builder| builder.name != OURS) {
                    let fix = proposal(&engine, &wanted, request.image.as_deref());
                    let preview = self.preview_builder(fix.clone()).await?;
                    document.token = Some(self.propose(&request, &document.endpoint, &fix, &preview));
                    (document.proposal, document.preview) = (Some(fix), Some(preview));
                }
            }
        }
        Ok(document)
    }

    /// Keeps what is shown, so that it, and nothing else, can be carried out.
    fn propose(&self, request: &BuildersRequest, endpoint: &str, fix: &Fix, preview: &Preview) -> String {
        let token = token(endpoint, fix, preview);
        let (request, endpoint) = (request.clone(), endpoint.to_owned());
        let proposed = Proposed { request, endpoint, fix: fix.clone(), preview: preview.clone() };
        self.session().proposals.insert(token.clone(), proposed);
        token
    }

    pub(super) fn proposed(&self, wanted: &ProposalToken) -> Result<Proposed, Failure> {
        self.session().proposals.remove(&wanted.token).ok_or_else(|| {
            Failure::new(FailureCode::Changed, "This was not proposed, or was already done.").hint("Look again.")
        })
    }

    async fn preview_builder(&self, fix: Fix) -> Result<Preview, Failure> {
        let tools = self.host_tools();
        blocking(move || runtime::preview(&fix, &tools)).await
    }

    pub(super) fn host_tools(&self) -> HostTools {
        HostTools::new(Arc::clone(self.host()), tokio::runtime::Handle::current())
    }

    /// Makes the builder that was proposed, and looks whether it can do the job.
    ///
    /// # Errors
    /// It was not proposed, the builders are others since, or making one failed; then what was made of it is removed.
    pub async fn create_builder(self: &Arc<Self>, wanted: ProposalToken) -> Result<ChangeOutcome, Failure> {
        let Proposed { request, endpoint, fix, preview } = self.proposed(&wanted)?;
        // Taking a failure back removes a builder of that name, which has to be the one that is made here.
        if self.builders(request.clone()).await?.proposal.as_ref() != Some(&fix) {
            let message = "The builders have changed since this was proposed.";
            return Err(Failure::new(FailureCode::Changed, message).hint("Look again."));
        }
        // Looking again proposed the same once more.
        self.session().proposals.remove(&wanted.token);
        let (journal, tools) = (self.journal()?, self.host_tools());
        let done = blocking(move || {
            runtime::apply(&fix, &preview, &Subject::default(), &endpoint, &journal, &tools, Timestamp::now())
        })
        .await?;
        let receipt = done.map_err(|error| crate::runtime_changes::failure_of(&error))?;
        let now = self.builders(request).await?;
        let silent = |one: &Builder| one.error.is_some() || one.nodes.iter().any(|node| node.error.is_some());
        let mut listed = now.builders.known().into_iter().flatten();
        let (verified, words) = match now.platforms.is_empty() {
            false => (Verified::Verified, format!("Looked again: builder {OURS} is there and can do it.")),
            true if listed.any(|one| one.name == OURS && silent(one)) => {
                (Verified::CouldNotTell, format!("Builder {OURS} is made, and did not answer when it was looked at."))
            }
            true => {
                (Verified::StillPresent, format!("Looked again: no builder can do it: {}.", now.lacking.join("; ")))
            }
        };
        let words = self.noted(&receipt.id, verified, words).await?;
        Ok(ChangeOutcome::of(receipt, verified, words, Vec::new()))
    }

    /// Removes a builder that was made, and looks whether it is gone.
    pub(crate) async fn undo_builder(self: &Arc<Self>, receipt: Receipt) -> Result<ChangeOutcome, Failure> {
        let (journal, tools, id) = (self.journal()?, self.host_tools(), receipt.id.clone());
        let undone = blocking(move || runtime::undo(&journal, &id, &tools, Timestamp::now())).await?;
        let receipt = undone.map_err(|error| crate::runtime_changes::failure_of(&error))?;
        let words = format!("Builder {OURS} and its cache are removed.");
        Ok(ChangeOutcome::of(receipt, Verified::Verified, words, Vec::new()))
    }
}

/// buildx keeps an address for a builder, and no certificates; those come from a Docker context.
fn needs_context(engine: &Engine) -> Option<String> {
    let target = engine.target();
    let folder = target.endpoint.tls_folder().filter(|_| target.context.is_none())?.display();
    Some(format!(
        "{OURS} cannot be made for an engine behind TLS that no Docker context names; make one and choose it with --engine: docker \
         context create NAME --docker host={},ca={folder}/ca.pem,cert={folder}/cert.pem,key={folder}/key.pem",
        target.endpoint.for_docker()
    ))
}

/// A builder in a container of the engine: it keeps several platforms apart, whatever the engine's image store.
fn proposal(engine: &Engine, wanted: &[Platform], image: Option<&str>) -> Fix {
    let target = engine.target();
    let place = target.context.clone().unwrap_or_else(|| target.endpoint.to_string());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let command = |text: String, argv| Step::RuntimeCommand { text, argv, does: CommandKind::Start, says: None };
    let mut create = words(&["docker", "buildx", "create", "--driver", "docker-container", "--name", OURS]);
    if let Some(image) = image {
        create.extend(words(&["--driver-opt", &format!("image={image}")]));
    }
    create.extend(words(&["--bootstrap", &place]));
    let image = image.unwrap_or("moby/buildkit");
    let remove = words(&["docker", "buildx", "rm", "--force", OURS]);
    Fix {
        option: 1,
        title: format!("Make a builder for {}", words_of(wanted)),
        summary: format!(
            "Makes builder {OURS}, which runs BuildKit in a container of this engine; its image, {image}, is pulled. What \
             it builds for several platforms is pushed to a registry. Undo removes builder, container and cache."
        ),
        safety: Safety::Review,
        steps: vec![command(format!("Make builder {OURS} and start it"), create)],
        promise: None,
        runtime: Some(RuntimeChange {
            runtime: "docker-engine".to_owned(),
            name: "buildx".to_owned(),
            instance: None,
            change: Change::Builder,
            in_background: false,
            back: vec![BackStep { from: 0, step: command(format!("Remove builder {OURS}"), remove) }],
        }),
    }
}
