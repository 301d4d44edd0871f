//! The order of functions in the artefact, for a download that packs well.
//!
//! gzip remembers 32 KiB. One generic function compiled for ten types gives ten bodies that are almost alike, and it
//! finds them only where they stand close together. Sorted by name they pack 12 kB better than by size, the order in which
//! `wasm-bindgen` writes them; in a chain of likeness 4 kB better still.

use std::collections::HashMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, FunctionBody, FunctionSectionReader, KnownCustom, Name, Parser,
    Payload, TypeRef,
};

use crate::likeness;

/// The same module with its functions in a chain of likeness, and without their names.
pub(crate) fn by_likeness(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut reordered = Reordered::read(module).map_err(|error| format!("the artefact: {error}"))?;
    let mut written = Module::new();
    reordered
        .parse_core_module(&mut written, Parser::new(0), module)
        .map_err(|error| format!("the artefact, in another order: {error}"))?;
    Ok(written.finish())
}

/// Imported functions keep their numbers; the others follow them in their new order.
struct Reordered {
    imported: u32,
    /// Which function comes first, second …, counted without the imported.
    order: Vec<u32>,
    /// Where a function has gone: the inverse of `order`.
    place: Vec<u32>,
}

impl Reordered {
    fn read(module: &[u8]) -> wasmparser::Result<Self> {
        let (mut imported, mut bodies, mut names) = (0, Vec::new(), HashMap::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
                Payload::CustomSection(section) => read_names(&section, &mut names)?,
                _ => {}
            }
        }
        let mut by_name: Vec<u32> = (0..).take(bodies.len()).collect();
        by_name.sort_by_key(|function| {
            let name = names.get(&(function + imported)).map(|name| without_hash(name));
            (name, bodies[*function as usize].len())
        });
        let sorted: Vec<&[u8]> = by_name.iter().map(|function| bodies[*function as usize]).collect();
        let order: Vec<u32> = likeness::chain(&sorted).into_iter().map(|at| by_name[at]).collect();
        let mut place = vec![0; order.len()];
        for (at, function) in (0..).zip(&order) {
            place[*function as usize] = at;
        }
        Ok(Self { imported, order, place })
    }
}

fn read_names<'a>(
    section: &CustomSectionReader<'a>,
    names: &mut HashMap<u32, &'a str>,
) -> wasmparser::Result<()> {
    let KnownCustom::Name(subsections) = section.as_known() else { return Ok(()) };
    for subsection in subsections {
        if let Name::Function(functions) = subsection? {
            for naming in functions {
                let naming = naming?;
                names.insert(naming.index, naming.name);
            }
        }
    }
    Ok(())
}

/// A mangled name ends with a hash of the types it is compiled for: `…17h<16 digits>E`.
fn without_hash(name: &str) -> &str {
    name.rfind("17h").map_or(name, |at| &name[..at])
}

impl Reencode for Reordered {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(match function.checked_sub(self.imported) {
            Some(local) => self.imported + self.place[local as usize],
            None => function,
        })
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let types = section.into_iter().collect::<wasmparser::Result<Vec<u32>>>()?;
        for function in &self.order {
            functions.function(types[*function as usize]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        let bodies = section.into_iter().collect::<wasmparser::Result<Vec<FunctionBody<'_>>>>()?;
        for at in 0..self.order.len() {
            let function = self.order[at] as usize;
            self.parse_function_body(code, bodies[function].clone())?;
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error> {
        if !matches!(section.as_known(), KnownCustom::Name(_)) {
            module.section(&self.custom_section(section)?);
        }
        Ok(())
    }
}
