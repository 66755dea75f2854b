mod databases;
use databases::*;
use natterjack_filter::*;
use natterjack_protocol::Custom;
use natterjack_storage::queries::*;
use natterjack_storage::*;
use serde_json::json;
#[tokio::test]
async fn perf() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        write(store, (), |tx, ()| {
            Box::pin(async move {
                for n in 0..20000i64 {
                    let c = NewChannel {
                        kind: "messaging".into(),
                        id: format!("c{n}"),
                        cid: format!("messaging:c{n}"),
                        created_by_id: "me".into(),
                        distinct_members: vec![],
                        change: ChannelChange {
                            custom: Custom::new()
                                .with("name", format!("Channel number {n} öl"))
                                .with("data", "x".repeat(500)),
                            ..Default::default()
                        },
                    };
                    let s = tx.insert_channel(1, &c, at(n)).await?.unwrap();
                    let mut ms = vec![format!("u{}", n % 100), format!("v{}", n % 77)];
                    if n % 20 == 0 {
                        ms.push("me".into());
                    }
                    let ms: Vec<_> = ms
                        .into_iter()
                        .map(|user_id| NewMember {
                            user_id,
                            channel_role: "channel_member".into(),
                            custom: Custom::new(),
                            invited: false,
                            hidden: false,
                            hide_messages_before: None,
                        })
                        .collect();
                    tx.insert_members(1, s.pk, 0, &ms, at(n)).await?;
                    tx.advance_channel(
                        s.pk,
                        Advance { unread: n % 3, members: 3, last_message: n % 5 != 0, ..Default::default() },
                        at((n * 7919) % 20011),
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await;
        if store.dialect() == Dialect::Postgres {
            let (c, conn) =
                tokio_postgres::connect(&databases.postgres_url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(conn);
            c.batch_execute("ANALYZE").await.unwrap();
        }
        for (f, user) in [
            (json!({"members": {"$in": ["me"]}}), Some("me")),
            (json!({"type": "messaging", "members": {"$in": ["me"]}}), Some("me")),
            (json!({"type": "messaging", "members": {"$in": ["me"]}, "has_unread": true}), Some("me")),
            (json!({"members": {"$in": ["me"]}, "name": {"$autocomplete": "num"}}), Some("me")),
            (json!({"members": ["me", "u0", "v0"]}), Some("me")),
            (json!({"cid": "messaging:c77"}), Some("me")),
            (json!({"cid": {"$in": ["messaging:c77", "messaging:c78"]}}), Some("me")),
            (json!({"joined": true}), Some("me")),
            (json!({"name": {"$autocomplete": "num"}}), None),
            (json!({}), None),
        ] {
            let query = ChannelQuery {
                filter: parse(&CHANNELS, f.as_object().unwrap()).unwrap(),
                sort: vec![],
                limit: 30,
                offset: 0,
                user_id: user.map(str::to_owned),
            };
            let mut best = std::time::Duration::MAX;
            let mut n = 0;
            for _ in 0..5 {
                let t = std::time::Instant::now();
                n = read(store, query.clone(), |tx, q| Box::pin(tx.query_channels(1, q))).await.len();
                best = best.min(t.elapsed());
            }
            println!("{:?} {f} {n} {best:?}", store.dialect());
        }
    }
    if let Some(f) = databases.stores[0].file() {
        let conn = rusqlite::Connection::open(f).unwrap();
        for (name, members) in [
            (
                "members in",
                "c.pk IN (SELECT x.channel_pk FROM members x WHERE x.app_pk = 1 AND x.user_id IN (SELECT value FROM json_each($3)))",
            ),
            ("cid", "(c.cid IS NOT NULL AND c.cid = $3)"),
            ("all", "TRUE"),
        ] {
            for sign in ["+", ""] {
                let sql = format!(
                    "EXPLAIN QUERY PLAN SELECT c.pk FROM channels c LEFT JOIN members me ON me.channel_pk = c.pk AND me.user_id = $1 WHERE {sign}c.app_pk = $2 AND c.deleted_at IS NULL AND {members} AND (me.hidden IS NULL OR NOT me.hidden) ORDER BY (CASE WHEN c.last_message_at > c.created_at THEN c.last_message_at ELSE c.created_at END) DESC, c.cid LIMIT 30 OFFSET 0"
                );
                let sql = sql.replace("$1", "'me'").replace("$2", "1").replace("$3", "'[]'");
                let mut s = conn.prepare(&sql).unwrap();
                let rows: Vec<String> =
                    s.query_map([], |r| r.get::<_, String>(3)).unwrap().map(Result::unwrap).collect();
                println!("{name} {sign}: {rows:?}");
            }
        }
    }
    databases.close().await;
}
