//! Where a command finds the organization.

use admin::access::Operator;
use admin::{error, organization};
use anyhow::Result;
use clap::Args;
use sql::Tx;

use super::client::Client;
use super::local::{self, Local};
use super::remote::Remote;

/// The flags that say where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct Place {
    /// The store of this machine.
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = "sqlite:rollbook.db",
        hide_env_values = true
    )]
    #[arg(help = "A store: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")]
    pub database: String,
    /// A server instead.
    #[arg(long, value_name = "URL")]
    #[arg(
        help = "A server instead, by its base URL; the key is read from ROLLBOOK_ADMIN_KEY or OPENAI_ADMIN_KEY"
    )]
    pub server: Option<String>,
    /// The organization, by slug or id, where there is more than one
    #[arg(long, value_name = "ORGANIZATION")]
    pub organization: Option<String>,
}

/// The flag of commands that work on a store only.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct StorePlace {
    /// The store.
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = "sqlite:rollbook.db",
        hide_env_values = true
    )]
    #[arg(help = "The store: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")]
    pub database: String,
}

/// The flags of commands that work on an organization in a store only.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct OrganizationPlace {
    #[command(flatten)]
    store: StorePlace,
    /// The organization, by slug or id, where there is more than one
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
}

impl OrganizationPlace {
    /// The store.
    pub fn open(&self) -> Result<Local> {
        let organization = self.organization.clone();
        let operator = Operator { user: local::user(), organization, on_behalf_of: None };
        Local::open(&self.store.database, operator, admin::Settings::default())
    }

    /// Reads all of this organization at once, however long that takes.
    pub fn read_whole<T: Send + 'static>(
        &self,
        read: impl Fn(&mut Tx<'_>, &str) -> error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = local::open_patiently(&self.store.database)?;
        let named = self.organization.clone();
        let all = store.read_blocking(move |tx| {
            let organization = organization::find_named_or_only(tx, named.as_deref())?;
            read(tx, &organization.id)
        });
        store.close();
        Ok(all?)
    }

    /// Reads something that the API has no operation for, of this organization.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&mut Tx<'_>, &str) -> error::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.open()?.read(read)
    }
}

impl Place {
    /// Somebody who answers requests there.
    pub fn client(&self) -> Result<Client> {
        self.open(None, admin::Settings::default())
    }

    /// The same; on this machine it answers with these settings.
    pub fn client_with(&self, settings: admin::Settings) -> Result<Client> {
        self.open(None, settings)
    }

    /// Somebody who answers requests there, acting for an owner.
    pub fn client_for(&self, owner: Option<&str>) -> Result<Client> {
        self.open(owner, admin::Settings::default())
    }

    fn open(&self, owner: Option<&str>, settings: admin::Settings) -> Result<Client> {
        let organization = self.organization.clone();
        if let Some(url) = &self.server {
            return Ok(Client::Remote(Remote::new(url, organization)?));
        }
        let on_behalf_of = owner.map(str::to_owned);
        let operator = Operator { user: local::user(), organization, on_behalf_of };
        Ok(Client::Local(Local::open(&self.database, operator, settings)?))
    }
}
