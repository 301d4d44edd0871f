//! Two network namespaces with one cable between them. Nothing else of this machine is touched; both are gone with this.

use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};

use crate::Outcome;

/// What is said where this machine lets nobody make a namespace; whoever runs the tests counts it.
pub(crate) const NO_RIGHT: &str = "no right to make a network namespace";

/// The two ends of the cable.
#[derive(Debug)]
pub(crate) struct Islands {
    pub(crate) near: Island,
    pub(crate) far: Island,
}

/// A namespace with one address.
#[derive(Debug)]
pub(crate) struct Island {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
}

impl Islands {
    /// # Errors
    /// [`NO_RIGHT`], or what `ip` says.
    pub(crate) fn make() -> Outcome<Self> {
        let id = std::process::id();
        let near = Island::make(format!("causeway-near-{id}"), Ipv4Addr::new(10, 81, 0, 1))?;
        let far = Island::make(format!("causeway-far-{id}"), Ipv4Addr::new(10, 81, 0, 2))?;
        ip(&[
            "-n", &near.name, "link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", &far.name,
        ])?;
        for island in [&near, &far] {
            let address = format!("{}/24", island.address);
            ip(&["-n", &island.name, "address", "add", &address, "dev", CABLE])?;
            ip(&["-n", &island.name, "link", "set", CABLE, "up"])?;
        }
        Ok(Self { near, far })
    }

    /// Nothing that is sent arrives any more, and nobody is told.
    pub(crate) fn cut(&self) -> Outcome<()> {
        ip(&["-n", &self.near.name, "link", "set", CABLE, "down"])
    }

    pub(crate) fn mend(&self) -> Outcome<()> {
        ip(&["-n", &self.near.name, "link", "set", CABLE, "up"])
    }
}

impl Island {
    fn make(name: String, address: Ipv4Addr) -> Outcome<Self> {
        ip(&["netns", "add", &name]).map_err(|why| format!("{NO_RIGHT}: {why}"))?;
        let island = Self { name, address: address.into() };
        ip(&["-n", &island.name, "link", "set", "lo", "up"])?;
        Ok(island)
    }

    /// This program, started on the island.
    pub(crate) fn command(&self) -> Outcome<Command> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(std::env::current_exe()?);
        Ok(command)
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

fn ip(words: &[&str]) -> Outcome<()> {
    let said = Command::new("ip").args(words).stdin(Stdio::null()).output()?;
    if said.status.success() {
        return Ok(());
    }
    Err(format!("ip {}: {}", words.join(" "), String::from_utf8_lossy(&said.stderr).trim()).into())
}

/// Its name at either end.
const CABLE: &str = "cable";
